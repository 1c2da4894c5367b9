"""Whether one more invocation may be under way.

SageMaker hands requests to a container as they come and queues none; what an endpoint cannot take is refused at once.
"""

from clary.routing.router import Full
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError


def admit(invocation: Invocation) -> None:
    try:
        invocation.pool.admit(len(invocation.request.get("Body", b"")))
    except Full as full:
        endpoint = invocation.request["EndpointName"]
        message = (
            f"Variant {full} of endpoint {endpoint} has as many invocations under way as it takes. Please try again."
        )
        raise ServiceError("ServiceUnavailable", message, 503) from None
