"""Invocations: from the call to the model server's HTTP request and from its answer back.

What the container sees is SageMaker's documented contract ("How Containers Serve Requests"): POST /invocations
with the caller's body, content type, accept and custom attributes.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from clary.control.call import Call
from clary.routing.connection import LARGEST_ANSWER, Answer, AnswerTooLarge, ConnectionLost
from clary.routing.replica import AnswerLost, AnswerTimeout
from clary.routing.router import ANSWER_TIMEOUT, NoReplica, NoSuchEndpoint, NoSuchVariant
from clary.services.sagemaker.hosting.kinds import ENDPOINT, IN_SERVICE, UPDATING
from clary.services.sagemaker_runtime import operation
from clary.wire.errors import ServiceError

CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
LONGEST_ERROR = 64 << 10
"""Bytes of an error's text in a stream."""
NOT_BUILT = (
    "TargetModel",
    "TargetContainerHostname",
    "EnableExplanations",
    "InferenceComponentName",
    "SessionId",
)


@operation("InvokeEndpoint")
async def invoke_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    variant, answer = await _invoke(call, request, streaming=False)
    assert isinstance(answer.body, bytes)
    if not _went_well(answer):
        raise _model_error(call, request["EndpointName"], answer.status, answer.body)
    return {
        "Body": answer.body,
        "ContentType": answer.headers.get("content-type"),
        "CustomAttributes": answer.headers.get(CUSTOM_ATTRIBUTES),
        "InvokedProductionVariant": variant,
    }


@operation("InvokeEndpointWithResponseStream")
async def invoke_endpoint_with_response_stream(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    variant, answer = await _invoke(call, request, streaming=True)
    assert not isinstance(answer.body, bytes)
    if not _went_well(answer):
        raise _model_error(call, request["EndpointName"], answer.status, await _error_text(answer.body))
    return {
        "Body": _payload_parts(answer.body),
        "ContentType": answer.headers.get("content-type"),
        "CustomAttributes": answer.headers.get(CUSTOM_ATTRIBUTES),
        "InvokedProductionVariant": variant,
    }


async def _invoke(call: Call, request: dict[str, Any], streaming: bool) -> tuple[str, Answer]:
    for member in NOT_BUILT:
        if member in request:
            raise ServiceError("ValidationError", f"{member} is not built in Clary yet.", 400)
    endpoint, variant = request["EndpointName"], request.get("TargetVariant")
    try:
        return await call.house.router.invoke(call.scope, endpoint, variant, _http_request(request), streaming)
    except NoSuchEndpoint:
        raise await asyncio.to_thread(_unpublished, call, endpoint) from None
    except NoSuchVariant:
        message = f"Variant {variant} of endpoint {endpoint} of account {call.scope.account} not found."
        raise ServiceError("ValidationError", message, 400) from None
    except NoReplica as none:
        message = f"No instance of variant {none} of endpoint {endpoint} is in service; they are being restarted."
        raise ServiceError("ServiceUnavailable", message, 503) from None
    except AnswerTooLarge:
        raise _no_answer(f"The model's response is larger than {LARGEST_ANSWER} bytes.") from None
    except AnswerLost:
        raise _no_answer("The container primary closed the connection before it had answered.") from None
    except AnswerTimeout:
        raise _no_answer(
            "Your invocation timed out while waiting for a response from container primary. Review the latency metrics "
            "for each container in Amazon CloudWatch, resolve the issue, and try again."
        ) from None


def _unpublished(call: Call, endpoint: str) -> ServiceError:
    """Of an endpoint that the router does not know. After a start it hears of one when its replicas are looked at."""
    record = call.house.records.find(ENDPOINT, call.scope, endpoint)
    if record is not None and record.state in (IN_SERVICE, UPDATING):
        message = f"The instances of endpoint {endpoint} have not been found again yet. Please try again."
        return ServiceError("ServiceUnavailable", message, 503)
    message = f"Endpoint {endpoint} of account {call.scope.account} not found."
    return ServiceError("ValidationError", message, 400)


def _http_request(request: dict[str, Any]) -> bytes:
    body = request.get("Body", b"")
    lines = ["POST /invocations HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    for header, member in (
        ("content-type", "ContentType"),
        ("accept", "Accept"),
        (CUSTOM_ATTRIBUTES, "CustomAttributes"),
        ("x-amzn-sagemaker-inference-id", "InferenceId"),
    ):
        if member in request:
            lines.append(f"{header}: {request[member]}")
    head = "\r\n".join([*lines, "\r\n"]).encode("latin-1")
    return bytes(head + body)


def _no_answer(message: str) -> ServiceError:
    return ServiceError("ModelError", message, 424, OriginalStatusCode=0, OriginalMessage=message)


def _model_error(call: Call, endpoint: str, status: int, body: bytes) -> ServiceError:
    text = body.decode("utf-8", "replace")
    whose = "client" if status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    return ServiceError(
        "ModelError",
        f'Received {whose} error ({status}) from primary with message "{text}". See the log group {group} '
        f"in account {call.scope.account} for more information.",
        424,
        OriginalStatusCode=status,
        OriginalMessage=text,
        LogStreamArn=call.arn("logs", f"log-group:{group}"),
    )


def _went_well(answer: Answer) -> bool:
    return 200 <= answer.status < 300


async def _error_text(chunks: AsyncIterator[bytes]) -> bytes:
    """What a model says of an error in a stream, as far as it comes and is of a size to be read."""
    text = b""
    try:
        async with asyncio.timeout(ANSWER_TIMEOUT):
            async for chunk in chunks:
                text += chunk
                if len(text) > LONGEST_ERROR:
                    break
    except (ConnectionLost, TimeoutError):
        pass
    return text[:LONGEST_ERROR]


async def _payload_parts(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    try:
        while True:
            async with asyncio.timeout(ANSWER_TIMEOUT):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield {"PayloadPart": {"Bytes": chunk}}
    except ConnectionLost as lost:
        raise ServiceError("ModelStreamError", str(lost), ErrorCode="StreamBroken") from None
    except TimeoutError:
        message = f"The model sent nothing for {ANSWER_TIMEOUT:.0f} seconds."
        raise ServiceError("ModelStreamError", message, ErrorCode="ModelInvocationTimeExceeded") from None
