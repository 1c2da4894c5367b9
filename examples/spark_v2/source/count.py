"""Runs in Spark: the mean number of rings of each sex, and how many hosts took part."""

import argparse
import socket

from pyspark.sql import SparkSession, functions

parser = argparse.ArgumentParser()
parser.add_argument("--input", required=True)
parser.add_argument("--output", required=True)
arguments = parser.parse_args()

spark = SparkSession.builder.appName("rings").getOrCreate()
measures = ["length", "diameter", "height", "whole", "shucked", "viscera", "shell"]
columns = ", ".join(["sex string", *(f"{name} double" for name in measures), "rings int"])
abalones = spark.read.csv(f"file://{arguments.input}", schema=columns)
means = abalones.groupBy("sex").agg(
    functions.count("*").alias("count"), functions.round(functions.mean("rings"), 2).alias("rings")
)
means = means.orderBy("sex").toPandas()
means.to_csv(f"{arguments.output}/means.csv", index=False)
print(means.to_string(index=False))
hosts = spark.sparkContext.parallelize(range(64), 64).map(lambda _: socket.gethostname()).distinct().collect()
print("hosts:", ", ".join(sorted(hosts)))
spark.stop()
