"""From the call to the model server's HTTP request and back.

What the container sees is SageMaker's documented contract ("How Containers Serve Requests"): POST /invocations with the
caller's body, content type, accept and custom attributes.
"""

import time

from clary.routing.connection import LARGEST_ANSWER, AnswerTooLarge
from clary.routing.message import Message
from clary.routing.router import NoReplica
from clary.routing.server import AnswerLost, AnswerTimeout
from clary.services.sagemaker_runtime.choosing import no_replica
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError

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
        invocation.received = await invocation.pool.send(message_of(invocation), invocation.streaming)
    except NoReplica as none:
        invocation.sent_at = None
        raise no_replica(invocation.request["EndpointName"], str(none)) from None
    except AnswerTooLarge:
        raise _no_answer(f"The model's response is larger than {LARGEST_ANSWER} bytes.") from None
    except AnswerLost:
        raise _no_answer("The container primary closed the connection before it had answered.") from None
    except AnswerTimeout:
        raise _no_answer(
            "Your invocation timed out while waiting for a response from container primary. Review the latency metrics "
            "for each container in Amazon CloudWatch, resolve the issue, and try again."
        ) from None
    finally:
        invocation.model_seconds = time.perf_counter() - began


def message_of(invocation: Invocation) -> Message:
    request = invocation.request
    headers = tuple((header, request[member]) for header, member in PASSED_ON if member in request)
    return Message(headers, request.get("Body", b""))


def _no_answer(message: str) -> ServiceError:
    return ServiceError("ModelError", message, 424, OriginalStatusCode=0, OriginalMessage=message)
