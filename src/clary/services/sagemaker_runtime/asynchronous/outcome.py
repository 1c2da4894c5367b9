"""How an asynchronous invocation ended, as its caller is told by a topic.

Source: "Check prediction results" of the SageMaker developer guide.
"""

import time
from base64 import b64encode
from dataclasses import dataclass
from typing import Any

import orjson

from clary.services.sagemaker_runtime.asynchronous.request import AsyncRequest

LARGEST_INCLUDED = 128 << 10
"""Bytes of an answer that goes along with a notification, where the endpoint's configuration asks for that."""
_REQUEST = {"accept": "Accept", "contentType": "ContentType", "customAttributes": "CustomAttributes"}


@dataclass(frozen=True, slots=True)
class Outcome:
    failure: str = ""
    """Why it failed; empty where it did not."""
    content_type: str = ""
    location: str = ""
    """URI of the object that was written; empty where none was."""
    content: bytes | None = None
    """Of that, where it is small."""


def topic_of(request: AsyncRequest, outcome: Outcome) -> str:
    """Whom to tell; empty where nobody is."""
    config = request.notification or {}
    topic: str = config.get("ErrorTopic" if outcome.failure else "SuccessTopic", "")
    return topic


def notification(request: AsyncRequest, outcome: Outcome, region: str, received: float) -> str:
    told: dict[str, Any] = {
        "awsRegion": region,
        "eventTime": _timestamp(time.time()),
        "receivedTime": _timestamp(received),
        "invocationStatus": "Failed" if outcome.failure else "Completed",
    }
    if outcome.failure:
        told["failureReason"] = outcome.failure
    known = {name: request.members[member] for name, member in _REQUEST.items() if member in request.members}
    told["requestParameters"] = {**known, "endpointName": request.endpoint}
    if request.input:
        told["requestParameters"]["inputLocation"] = request.input
    if outcome.location:
        told["responseParameters"] = {"contentType": outcome.content_type, "outputLocation": outcome.location}
    if outcome.content is not None and _is_included(request, outcome):
        told["responseBody"] = {"content": b64encode(outcome.content).decode(), "encoding": "BASE64"}
    told |= {"inferenceId": request.inference_id, "eventVersion": "1.0"}
    told |= {"eventSource": "aws:sagemaker", "eventName": "InferenceResult"}
    return orjson.dumps(told).decode()


def _is_included(request: AsyncRequest, outcome: Outcome) -> bool:
    wanted = "ERROR_NOTIFICATION_TOPIC" if outcome.failure else "SUCCESS_NOTIFICATION_TOPIC"
    return wanted in (request.notification or {}).get("IncludeInferenceResponseIn", [])


def _timestamp(at: float) -> str:
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{int(at * 1000) % 1000:03}Z", time.gmtime(at))
