"""The model's answer as the API's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from clary.routing.connection import ConnectionLost
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.sending import ALONE, CUSTOM_ATTRIBUTES
from clary.wire.errors import ServiceError

LONGEST_ERROR = 64 << 10
"""Bytes of an error's text in a stream."""


def answer_whole(invocation: Invocation) -> dict[str, Any]:
    answer = invocation.answer
    assert isinstance(answer.body, bytes)
    if not answer.went_well:
        raise _model_error(invocation, answer.body)
    return _told(invocation, answer.body)


async def answer_stream(invocation: Invocation) -> dict[str, Any]:
    answer, timeout = invocation.answer, invocation.pool.variant.timeout
    assert not isinstance(answer.body, bytes)
    if not answer.went_well:
        raise _model_error(invocation, await _error_text(answer.body, timeout))
    return _told(invocation, _payload_parts(answer.body, timeout))


def _told(invocation: Invocation, body: bytes | AsyncIterator[dict[str, Any]]) -> dict[str, Any]:
    headers = invocation.answer.headers
    return {
        "Body": body,
        "ContentType": headers.get("content-type"),
        "CustomAttributes": headers.get(CUSTOM_ATTRIBUTES),
        "InvokedProductionVariant": invocation.pool.variant.name,
    }


def _model_error(invocation: Invocation, body: bytes) -> ServiceError:
    call, status = invocation.call, invocation.answer.status
    text = body.decode("utf-8", "replace")
    whose = "client" if status < 500 else "server"
    container = invocation.answer.container or ALONE
    group = f"/aws/sagemaker/Endpoints/{invocation.request['EndpointName']}"
    return ServiceError(
        "ModelError",
        f'Received {whose} error ({status}) from {container} with message "{text}". See the log group {group} '
        f"in account {call.scope.account} for more information.",
        424,
        OriginalStatusCode=status,
        OriginalMessage=text,
        LogStreamArn=call.arn("logs", f"log-group:{group}"),
    )


async def _error_text(chunks: AsyncIterator[bytes], timeout: float) -> bytes:
    """What a model says of an error in a stream, as far as it comes and is of a size to be read."""
    text = b""
    try:
        async with asyncio.timeout(timeout):
            async for chunk in chunks:
                text += chunk
                if len(text) > LONGEST_ERROR:
                    break
    except (ConnectionLost, TimeoutError):
        pass
    return text[:LONGEST_ERROR]


async def _payload_parts(chunks: AsyncIterator[bytes], timeout: float) -> AsyncIterator[dict[str, Any]]:
    try:
        while True:
            async with asyncio.timeout(timeout):
                chunk = await anext(chunks, None)
            if chunk is None:
                return
            yield {"PayloadPart": {"Bytes": chunk}}
    except ConnectionLost as lost:
        raise ServiceError("ModelStreamError", str(lost), ErrorCode="StreamBroken") from None
    except TimeoutError:
        message = f"The model sent nothing for {timeout:.0f} seconds."
        raise ServiceError("ModelStreamError", message, ErrorCode="ModelInvocationTimeExceeded") from None
