"""A class of the SageMaker SDK's own algorithms, from arrays to predictions; prints what came of it as JSON.

Arguments: the class, its parameters and those of `fit` as JSON, a file of arrays: `<channel>_rows`, `<channel>_labels`,
and `asked`, the rows that are predicted.
"""

import json
import sys
from typing import Any

import boto3
import numpy as np
import sagemaker
from sagemaker.deserializers import JSONDeserializer, JSONLinesDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONSerializer

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"


def main(name: str, parameters: dict[str, Any], fitting: dict[str, Any], path: str) -> None:
    arrays = np.load(path)
    # LDA knows of one instance only, and has no parameter for their number.
    count = {} if name == "LDA" else {"instance_count": 1}
    estimator = getattr(sagemaker, name)(role=ROLE, instance_type="ml.m5.large", **count, **parameters)
    channels = [key.removesuffix("_rows") for key in arrays if key.endswith("_rows")]
    records = [
        estimator.record_set(arrays[f"{each}_rows"], arrays.get(f"{each}_labels"), channel=each) for each in channels
    ]
    estimator.fit(records, logs=False, **fitting)
    predictor = estimator.deploy(1, "ml.m5.large", wait=False)
    # The SDK would look each 30 seconds.
    waiter = boto3.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    asked = arrays["asked"]
    found = predictor.predict(asked)
    named = {label: [list(record.label[label].float32_tensor.values) for record in found] for label in found[0].label}
    instances = {"instances": [{"features": row.tolist()} for row in asked[:2]]}
    told = {
        "job": estimator.latest_training_job.name,
        "records": named,
        "json": plain(predictor, JSONSerializer(), JSONDeserializer()).predict(instances)["predictions"],
        "jsonlines": plain(predictor, CSVSerializer(), JSONLinesDeserializer()).predict(asked[:2]),
    }
    predictor.delete_model()
    predictor.delete_endpoint()
    print(json.dumps(told))


def plain(predictor: Predictor, serializer: Any, deserializer: Any) -> Predictor:
    session = predictor.sagemaker_session
    return Predictor(predictor.endpoint_name, session, serializer=serializer, deserializer=deserializer)


main(sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4])
