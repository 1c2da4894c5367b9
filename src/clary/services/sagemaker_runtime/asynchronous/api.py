"""InvokeEndpointAsync."""

from base64 import b64encode
from typing import Any
from uuid import uuid4

from clary.control.call import Call
from clary.messages.queue import Draft
from clary.records.record import Record
from clary.services.sagemaker.hosting.kinds import ENDPOINT, IN_SERVICE, UPDATING
from clary.services.sagemaker_runtime import operation
from clary.services.sagemaker_runtime.asynchronous.request import AsyncRequest
from clary.services.sagemaker_runtime.choosing import not_found
from clary.wire.errors import ServiceError

KEPT = 7 * 24 * 3600.0
"""Seconds after which a request is forgotten though no replica ever came: long after it has expired."""
LONGEST_TTL = 21_600
LONGEST_ANSWER = 900
_TOLD = ("ContentType", "Accept", "CustomAttributes")


@operation("InvokeEndpointAsync")
def invoke_endpoint_async(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _find(call, request["EndpointName"])
    body = request.get("Body", b"")
    if bool(body) is ("InputLocation" in request):
        raise _invalid("Provide exactly one of InputLocation and Body.")
    asked = _asked(record, request, str(uuid4()), b64encode(body).decode())
    call.house.messages.send(record.id, [Draft(asked.dump())], KEPT)
    failure = {"FailureLocation": asked.failure} if asked.failure else {}
    return {"InferenceId": asked.inference_id, "OutputLocation": asked.output, **failure}


def _find(call: Call, name: str) -> Record:
    record = call.house.records.find(ENDPOINT, call.scope, name)
    if record is None or record.state not in (IN_SERVICE, UPDATING):
        raise not_found(call, f"endpoint {name}")
    if "AsyncInferenceConfig" not in record.document["Deployment"]:
        raise _invalid(f"Endpoint {name} is not asynchronous: InvokeEndpoint invokes it.")
    return record


def _asked(record: Record, request: dict[str, Any], name: str, body: str) -> AsyncRequest:
    config = record.document["Deployment"]["AsyncInferenceConfig"]["OutputConfig"]
    extension = request.get("S3OutputPathExtension", "")
    file = request.get("Filename", f"{name}.out")
    stem, dot, suffix = file.rpartition(".")
    failed = f"{stem}-error.{suffix}" if dot else f"{file}-error"
    failure = config.get("S3FailurePath")
    return AsyncRequest(
        endpoint=record.name,
        inference_id=request.get("InferenceId", name),
        members={member: request[member] for member in _TOLD if member in request},
        output=_joined(config["S3OutputPath"], extension, file),
        failure=_joined(failure, extension, failed) if failure else "",
        input=request.get("InputLocation", ""),
        body=body,
        ttl=request.get("RequestTTLSeconds", LONGEST_TTL),
        timeout=request.get("InvocationTimeoutSeconds", LONGEST_ANSWER),
        notification=config.get("NotificationConfig"),
    )


def _joined(*parts: str) -> str:
    return "/".join(filter(None, (part.strip("/") for part in parts)))


def _invalid(message: str) -> ServiceError:
    return ServiceError("ValidationError", message, 400)
