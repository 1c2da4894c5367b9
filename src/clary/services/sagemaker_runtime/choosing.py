"""Which endpoint and which of its variants answers."""

import asyncio

from clary.control.call import Call
from clary.routing.router import NoReplica, NoSuchEndpoint, NoSuchVariant
from clary.services.sagemaker.hosting.kinds import ENDPOINT, IN_SERVICE, UPDATING
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError


async def choose(invocation: Invocation) -> None:
    call, endpoint = invocation.call, invocation.request["EndpointName"]
    variant = invocation.request.get("TargetVariant")
    try:
        invocation.found = call.house.router.find(call.scope, endpoint)
        if invocation.found.route.asynchronous is not None:
            message = f"Endpoint {endpoint} is asynchronous: InvokeEndpointAsync invokes it."
            raise ServiceError("ValidationError", message, 400)
        invocation.chosen = invocation.found.choose(variant)
    except NoSuchEndpoint:
        raise await asyncio.to_thread(_unpublished, call, endpoint) from None
    except NoSuchVariant:
        message = f"Variant {variant} of endpoint {endpoint} of account {call.scope.account} not found."
        raise ServiceError("ValidationError", message, 400) from None
    except NoReplica as none:
        raise no_replica(endpoint, str(none)) from None


def no_replica(endpoint: str, variant: str) -> ServiceError:
    message = f"No instance of variant {variant} of endpoint {endpoint} is in service; they are being restarted."
    return ServiceError("ServiceUnavailable", message, 503)


def _unpublished(call: Call, endpoint: str) -> ServiceError:
    """Of an endpoint that the router does not know. After a start it hears of one when its replicas are looked at."""
    record = call.house.records.find(ENDPOINT, call.scope, endpoint)
    if record is not None and record.state in (IN_SERVICE, UPDATING):
        message = f"The instances of endpoint {endpoint} have not been found again yet. Please try again."
        return ServiceError("ServiceUnavailable", message, 503)
    return not_found(call, endpoint)


def not_found(call: Call, endpoint: str) -> ServiceError:
    return ServiceError("ValidationError", f"Endpoint {endpoint} of account {call.scope.account} not found.", 400)
