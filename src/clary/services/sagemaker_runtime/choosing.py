"""Which endpoint and which of its variants answers."""

import asyncio

from clary.control.call import Call
from clary.routing.router import NoReplica, NoSuchEndpoint, NoSuchVariant
from clary.services.sagemaker.hosting.kinds import COMPONENT, ENDPOINT, IN_SERVICE, UPDATING, component_route
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError

COMPONENT_NAME = "InferenceComponentName"


async def choose(invocation: Invocation) -> None:
    call, endpoint = invocation.call, invocation.request["EndpointName"]
    variant, component = invocation.request.get("TargetVariant"), invocation.request.get(COMPONENT_NAME)
    try:
        route = component_route(endpoint, component) if component else endpoint
        invocation.found = call.house.router.find(call.scope, route)
        if invocation.found.route.asynchronous is not None:
            message = f"Endpoint {endpoint} is asynchronous: InvokeEndpointAsync invokes it."
            raise ServiceError("ValidationError", message, 400)
        invocation.chosen = invocation.found.choose(variant)
    except NoSuchEndpoint:
        raise await asyncio.to_thread(_unpublished, call, endpoint, component) from None
    except NoSuchVariant:
        message = f"Variant {variant} of endpoint {endpoint} of account {call.scope.account} not found."
        raise ServiceError("ValidationError", message, 400) from None
    except NoReplica as none:
        raise no_replica(endpoint, str(none)) from None


def no_replica(endpoint: str, variant: str) -> ServiceError:
    message = f"No instance of variant {variant} of endpoint {endpoint} is in service; they are being restarted."
    return ServiceError("ServiceUnavailable", message, 503)


def _unpublished(call: Call, endpoint: str, component: str | None) -> ServiceError:
    """Of what the router does not know. After a start it hears of a replica when that is looked at."""
    record = call.house.records.find(ENDPOINT, call.scope, endpoint)
    what = f"endpoint {endpoint}"
    if record is not None and component:
        record = call.house.records.find(COMPONENT, call.scope, component)
        what = f"inference component {component} of {what}"
        if record is not None and record.document["EndpointName"] != endpoint:
            record = None
    if record is not None and record.state in (IN_SERVICE, UPDATING):
        message = f"The instances of {what} have not been found again yet. Please try again."
        return ServiceError("ServiceUnavailable", message, 503)
    return not_found(call, what)


def not_found(call: Call, what: str) -> ServiceError:
    message = f"{what[0].upper()}{what[1:]} of account {call.scope.account} not found."
    return ServiceError("ValidationError", message, 400)
