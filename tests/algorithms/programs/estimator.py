"""The generic Estimator of version 2 of the SageMaker SDK, which has no classes of its own for some algorithms.

What is to be done comes as a JSON file: {"algorithm", "hyperparameters", "instances", "channels": {name: {"path",
"content_type", "distribution"}}, "requests": [[content type, body, what is accepted?]], "transform": {"path",
"environment"}}. What came of it is printed as JSON.
"""

import base64
import json
import sys
import uuid
from typing import Any

import boto3
from sagemaker import Session, image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sdk import INSTANCE, ROLE, delete, deploy

JSON_LINES = "application/jsonlines"
RECORDIO, IMAGE = "application/x-recordio-protobuf", "application/x-image"
BINARY = (RECORDIO, IMAGE, "image/png", "application/x-protobuf")
"""Travel as base64."""


def main(asked: dict[str, Any]) -> None:
    session = Session()
    image = image_uris.retrieve(asked["algorithm"], session.boto_region_name)
    estimator = Estimator(image, ROLE, asked.get("instances", 1), INSTANCE, hyperparameters=asked["hyperparameters"])
    channels = {}
    for name, channel in asked["channels"].items():
        uri = session.upload_data(channel["path"], key_prefix=f"{asked['algorithm']}/{uuid.uuid4().hex}/{name}")
        distribution = channel.get("distribution", "FullyReplicated")
        channels[name] = TrainingInput(uri, distribution=distribution, content_type=channel.get("content_type"))
    estimator.fit(channels, logs=False)
    found: dict[str, Any] = {"job": estimator.latest_training_job.name, "model": estimator.model_data, "answers": []}
    predictor = deploy(estimator)
    for content_type, body, *asked_for in asked["requests"]:
        given = base64.b64decode(body) if content_type in BINARY else body
        accept = asked_for[0] if asked_for else "application/json" if content_type == IMAGE else content_type
        answer = predictor.predict(given, initial_args={"ContentType": content_type, "Accept": accept})
        found["answers"].append(base64.b64encode(answer).decode() if accept in BINARY else answer.decode())
    delete(predictor)
    if transform := asked.get("transform"):
        found["transformed"] = transformed(session, estimator, transform)
    print(json.dumps(found))


def transformed(session: Session, estimator: Estimator, asked: dict[str, Any]) -> str:
    """The answers of a batch transform of JSON Lines."""
    transformer = estimator.transformer(
        1, INSTANCE, "SingleRecord", "Line", accept=JSON_LINES, env=asked.get("environment")
    )
    uri = session.upload_data(asked["path"], key_prefix="transform")
    transformer.transform(uri, content_type=JSON_LINES, split_type="Line", wait=False)
    waiter = boto3.client("sagemaker").get_waiter("transform_job_completed_or_stopped")
    waiter.wait(TransformJobName=transformer.latest_transform_job.name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    bucket, _, prefix = transformer.output_path.removeprefix("s3://").partition("/")
    result: str = session.read_s3_file(bucket, f"{prefix}/{asked['path'].rpartition('/')[2]}.out")
    return result


with open(sys.argv[1]) as file:
    main(json.load(file))
