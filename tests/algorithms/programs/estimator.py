"""The generic Estimator of version 2 of the SageMaker SDK, which has no classes of its own for some algorithms.

What is to be done comes as a JSON file: {"algorithm", "hyperparameters", "channels": {name: {"path", "content_type"}},
"requests": [[content type, body]]}. What came of it is printed as JSON.
"""

import json
import sys
from typing import Any

import boto3
from sagemaker import Session, image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput

ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"


def main(asked: dict[str, Any]) -> None:
    session, sagemaker = Session(), boto3.client("sagemaker")
    image = image_uris.retrieve(asked["algorithm"], session.boto_region_name)
    estimator = Estimator(image, ROLE, 1, "ml.m5.large", hyperparameters=asked["hyperparameters"])
    channels = {}
    for name, channel in asked["channels"].items():
        uri = session.upload_data(channel["path"], key_prefix=f"{asked['algorithm']}/{name}")
        channels[name] = TrainingInput(uri, content_type=channel.get("content_type"))
    estimator.fit(channels, logs=False)
    found: dict[str, Any] = {"job": estimator.latest_training_job.name, "model": estimator.model_data, "answers": []}
    predictor = estimator.deploy(1, "ml.m5.large", wait=False)
    # The SDK would look each 30 seconds.
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=predictor.endpoint_name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    for content_type, body in asked["requests"]:
        answer = predictor.predict(body, initial_args={"ContentType": content_type, "Accept": content_type})
        found["answers"].append(answer.decode())
    predictor.delete_model()
    predictor.delete_endpoint()
    print(json.dumps(found))


with open(sys.argv[1]) as file:
    main(json.load(file))
