"""What the programs beside it share: each walks one algorithm with its class of version 2 of the SageMaker SDK."""

from typing import Any

import boto3
import sagemaker.utils
from sagemaker import Session
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, JSONLinesDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
INSTANCE = "ml.m5.large"

# The SDK checks its configuration again with each value that it looks up in it: half a minute in one program.
sagemaker.utils.validate_sagemaker_config = lambda _config: None


def deploy(estimator: Any) -> Any:
    """The predictor of the estimator's class, its endpoint in service."""
    predictor = estimator.deploy(1, INSTANCE, wait=False)
    # The SDK would look each 30 seconds.
    waiter = boto3.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    return predictor


def in_text(predictor: Any, rows: Any) -> dict[str, Any]:
    """Predictions of CSV rows in each format of text: `{"json": …, "jsonlines": …, "csv": …}`."""
    formats = {"json": JSONDeserializer(), "jsonlines": JSONLinesDeserializer(), "csv": CSVDeserializer()}
    return {
        name: Predictor(predictor.endpoint_name, Session(), CSVSerializer(), deserializer).predict(rows)
        for name, deserializer in formats.items()
    }


def labels(records: list[Any], name: str) -> list[Any]:
    """What a tensor of each record's label holds: a number, or a list of several."""
    values = [list(record.label[name].float32_tensor.values) for record in records]
    return [value[0] if len(value) == 1 else value for value in values]


def delete(predictor: Any) -> None:
    predictor.delete_model()
    predictor.delete_endpoint()
