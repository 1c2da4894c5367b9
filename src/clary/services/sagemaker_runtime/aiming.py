"""Which of a variant's containers, and which of its models, a call is for."""

from clary.routing.routes import Container
from clary.services.sagemaker_runtime.choosing import COMPONENT_NAME
from clary.services.sagemaker_runtime.invocation import Invocation
from clary.wire.errors import ServiceError

MODEL, CONTAINER = "TargetModel", "TargetContainerHostname"


def aim(invocation: Invocation) -> None:
    variant = invocation.pool.variant
    if variant.hosts_components:
        raise _invalid(invocation, COMPONENT_NAME, "endpoints of inference components")
    if not variant.targets:
        # Nobody is there to be asked, which is said when it is tried.
        return
    containers = variant.targets[0].containers
    if (MODEL in invocation.request) != any(container.models for container in containers):
        raise _invalid(invocation, MODEL, "multi-model endpoints")
    if (CONTAINER in invocation.request) != variant.direct:
        raise _invalid(invocation, CONTAINER, "endpoints whose containers are invoked directly")
    if variant.direct:
        _check_container(invocation, containers)


def _invalid(invocation: Invocation, member: str, what: str) -> ServiceError:
    endpoint = invocation.request["EndpointName"]
    if member in invocation.request:
        return ServiceError("ValidationError", f"{member} is for {what}, and {endpoint} is none.", 400)
    return ServiceError("ValidationError", f"{endpoint} is one of {what}: a call has to give a {member}.", 400)


def _check_container(invocation: Invocation, containers: tuple[Container, ...]) -> None:
    hostname = invocation.request[CONTAINER]
    if hostname not in {container.hostname for container in containers}:
        endpoint = invocation.request["EndpointName"]
        raise ServiceError("ValidationError", f"The endpoint {endpoint} has no container {hostname}.", 400)
