"""KMeans of version 2 of the SageMaker SDK, from arrays to predictions; prints what came of it as JSON."""

import json
import sys

import boto3
import numpy as np
from sagemaker import Session
from sagemaker.amazon.kmeans import KMeans
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"


def main(data: str, instances: int) -> None:
    rows = np.load(data)
    estimator = KMeans(ROLE, instances, "ml.m5.large", k=6, epochs=2, eval_metrics=["msd", "ssd"])
    train, test = estimator.record_set(rows), estimator.record_set(rows, channel="test", distribution="FullyReplicated")
    estimator.fit([train, test], mini_batch_size=500, logs=False)
    predictor = estimator.deploy(1, "ml.m5.large", wait=False)
    # The SDK would look each 30 seconds.
    waiter = boto3.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    found = {"job": estimator.latest_training_job.name, "model": estimator.model_data}
    records = predictor.predict(rows)
    for name in ("closest_cluster", "distance_to_cluster"):
        found[name] = [record.label[name].float32_tensor.values[0] for record in records]
    for name, deserializer in (
        ("json", JSONDeserializer()),
        ("jsonlines", JSONLinesDeserializer()),
        ("csv", CSVDeserializer()),
    ):
        plain = Predictor(predictor.endpoint_name, Session(), serializer=CSVSerializer(), deserializer=deserializer)
        found[name] = plain.predict(rows[:2])
    predictor.delete_model()
    predictor.delete_endpoint()
    print(json.dumps(found))


main(sys.argv[1], int(sys.argv[2]))
