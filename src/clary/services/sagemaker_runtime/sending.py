"""From the call to the model server's HTTP request and back.

What the container sees is SageMaker's documented contract ("How Containers Serve Requests"): POST /invocations with the
caller's body, content type, accept and custom attributes.
"""

import time

from clary.instance.models.headers import TARGET
from clary.routing.connection import LARGEST_ANSWER, Answer, AnswerTooLarge
from clary.routing.message import Message
from clary.routing.router import NoReplica
from clary.routing.server import AnswerLost, AnswerTimeout
from clary.services.sagemaker_runtime.aiming import CONTAINER, MODEL
from clary.services.sagemaker_runtime.choosing import no_replica
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.services.sagemaker_runtime.many_models import check_ready, is_wanted, with_archive
from clary.wire.errors import ServiceError

ALONE = "primary"
"""What AWS calls a model's only container."""
CUSTOM_ATTRIBUTES = "x-amzn-sagemaker-custom-attributes"
PASSED_ON = (
    ("content-type", "ContentType"),
    ("accept", "Accept"),
    (CUSTOM_ATTRIBUTES, "CustomAttributes"),
    ("x-amzn-sagemaker-inference-id", "InferenceId"),
)


async def send(invocation: Invocation) -> None:
    began = time.perf_counter()
    invocation.sent_at = began
    try:
        invocation.received = await _send(invocation, message_of(invocation))
    except NoReplica as none:
        invocation.sent_at = None
        raise no_replica(invocation.request["EndpointName"], str(none)) from None
    except AnswerTooLarge:
        raise _no_answer(f"The model's response is larger than {LARGEST_ANSWER} bytes.") from None
    except AnswerLost as lost:
        name = str(lost) or ALONE
        raise _no_answer(f"The container {name} closed the connection before it had answered.") from None
    except AnswerTimeout as late:
        name = str(late) or ALONE
        raise _no_answer(
            f"Your invocation timed out while waiting for a response from container {name}. Review the latency metrics "
            "for each container in Amazon CloudWatch, resolve the issue, and try again."
        ) from None
    finally:
        invocation.model_seconds = time.perf_counter() - began


async def _send(invocation: Invocation, message: Message) -> Answer:
    container, model = invocation.request.get(CONTAINER, ""), invocation.request.get(MODEL, "")
    answer = await invocation.pool.send(message, invocation.streaming, container, model)
    if model:
        if await is_wanted(answer):
            message = await with_archive(invocation, message)
            answer = await invocation.pool.send(message, invocation.streaming, container, model)
        await check_ready(answer)
    return answer


def message_of(invocation: Invocation) -> Message:
    request = invocation.request
    headers = tuple((header, request[member]) for header, member in PASSED_ON if member in request)
    of_models = ((TARGET, request[MODEL]),) if MODEL in request else ()
    return Message(headers, request.get("Body", b""), of_models=of_models)


def _no_answer(message: str) -> ServiceError:
    return ServiceError("ModelError", message, 424, OriginalStatusCode=0, OriginalMessage=message)
