"""Batch transform with joined output, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python transform.py

XGBoost is trained on most abalones. The others lie in two files, each row with a number before its features
and the true rings after them: both are kept from the model and joined with what it predicts.
"""

import argparse
import csv
import io
import math
from pathlib import Path

import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.s3 import S3Downloader

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
PREFIX = "abalone-transform"


def upload(session: sagemaker.Session, key: str, rows: pd.DataFrame, **options: bool) -> str:
    body = rows.to_csv(header=False, **options)
    session.upload_string_as_file_body(body, session.default_bucket(), f"{PREFIX}/{key}")
    return f"s3://{session.default_bucket()}/{PREFIX}/{key}"


def train(session: sagemaker.Session, role: str, rows: pd.DataFrame) -> Estimator:
    estimator = Estimator(
        image_uri=image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/{PREFIX}/models",
        hyperparameters={"objective": "reg:squarederror", "num_round": 80, "max_depth": 4, "eta": 0.1},
        sagemaker_session=session,
    )
    uri = upload(session, "train/rows.csv", rows[["rings", *COLUMNS[:-1]]], index=False)
    estimator.fit({"train": TrainingInput(uri, content_type="text/csv")})
    return estimator


def transform(estimator: Estimator, rows: pd.DataFrame) -> list[list[str]]:
    """Of each row its number, its rings and those that were predicted."""
    session = estimator.sagemaker_session
    half = len(rows) // 2
    upload(session, "in/first.csv", rows[:half])
    upload(session, "in/second.csv", rows[half:])
    transformer = estimator.transformer(
        instance_count=2,
        instance_type="ml.m5.large",
        strategy="MultiRecord",
        assemble_with="Line",
        accept="text/csv",
        output_path=f"s3://{session.default_bucket()}/{PREFIX}/out",
    )
    transformer.transform(
        f"s3://{session.default_bucket()}/{PREFIX}/in/",
        content_type="text/csv",
        split_type="Line",
        input_filter="$[1:-1]",
        join_source="Input",
        output_filter="$[0,-2,-1]",
    )
    found = []
    for name in ("first.csv.out", "second.csv.out"):
        text = S3Downloader.read_file(f"{transformer.output_path}/{name}", sagemaker_session=session)
        found += list(csv.reader(io.StringIO(text)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    arguments = parser.parse_args()
    abalones = pd.read_csv(arguments.data, names=COLUMNS)
    abalones["sex"] = abalones["sex"].map({"I": 0, "F": 1, "M": 2})
    seen = abalones.sample(frac=0.7, random_state=7)
    estimator = train(sagemaker.Session(), arguments.role, seen)
    rows = transform(estimator, abalones.drop(seen.index))
    for number, rings, predicted in rows[:3]:
        print(f"abalone {number}: {rings} rings, {float(predicted):.1f} predicted")
    error = math.sqrt(sum((float(rings) - float(predicted)) ** 2 for _, rings, predicted in rows) / len(rows))
    print(f"{len(rows)} abalones, off by {error:.2f} rings")


if __name__ == "__main__":
    main()
