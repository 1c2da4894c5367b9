"""Models that a container loads when they are first asked for: where their archives lie, and that one is not ready."""

import asyncio
from dataclasses import replace

from clary.instance.models import headers
from clary.routing.connection import Answer
from clary.routing.message import Message
from clary.services.sagemaker.hosting.many_models import NoArchive, grant_of
from clary.services.sagemaker_runtime.aiming import MODEL
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError


async def is_wanted(answer: Answer) -> bool:
    """Whether the instance has not got the model's archive, nor been told where it lies."""
    return await _says(answer, headers.WANTED)


async def with_archive(invocation: Invocation, message: Message) -> Message:
    """The message with where the archive may be read."""
    call, target = invocation.call, invocation.request[MODEL]
    containers = invocation.pool.variant.targets[0].containers
    prefix = next(container.models for container in containers if container.models)
    try:
        granted = await asyncio.to_thread(
            grant_of, call.house, call.scope, invocation.request["EndpointName"], prefix, target
        )
    except ValueError:
        raise ServiceError("ValidationError", f"TargetModel {target!r} is no name below a prefix.", 400) from None
    except NoArchive as missing:
        bucket, key = missing.args
        raise ServiceError(
            "ValidationError",
            f"Failed to download model data(bucket: {bucket}, key: {key}). Please ensure that there is an object "
            "located at the URL and that the role passed to CreateModel has permissions to download the model.",
            400,
        ) from None
    return replace(message, of_models=message.of_models + granted)


async def check_ready(answer: Answer) -> None:
    if await _says(answer, headers.NOT_READY):
        raise ServiceError(
            "ModelNotReadyException", "The target model is still being downloaded or loaded. Wait and try again."
        )


async def _says(answer: Answer, outcome: str) -> bool:
    """Whether the instance's manager answered so. Then the answer is read to its end: it is nobody else's."""
    if answer.headers.get(headers.OUTCOME) != outcome:
        return False
    if not isinstance(answer.body, bytes):
        async for _ in answer.body:
            pass
    return True
