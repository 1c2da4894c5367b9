"""Inference component operations."""

import time
from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, refuse_members
from clary.services.sagemaker.hosting.components.specification import MODEL, deployment_of, host_of
from clary.services.sagemaker.hosting.endpoints import ENDPOINTS
from clary.services.sagemaker.hosting.kinds import COMPONENT, CREATING, DELETING, IN_SERVICE, UPDATING, component_route
from clary.services.sagemaker.hosting.models import containers_of
from clary.services.sagemaker.hosting.stages import begin
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import create, find
from clary.services.sagemaker.resources.listing import equal_member
from clary.services.sagemaker.resources.operations import serve

ONE_BY_ONE = {
    "RollingUpdatePolicy": {"MaximumBatchSize": {"Type": "COPY_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
}
"""How a component is updated that is not told otherwise."""


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse_members(request, ("Specifications",))
    endpoint = find(call, ENDPOINTS, request["EndpointName"])
    for member in ("Specification", "RuntimeConfig"):
        if member not in request:
            raise invalid(f"An inference component needs a {member}.")
    if endpoint.state not in (IN_SERVICE, UPDATING):
        raise invalid(f'The endpoint "{endpoint.arn}" is {endpoint.state.status}, and not in service.')
    host = host_of(endpoint, request.get("VariantName"))
    copies = request["RuntimeConfig"]["CopyCount"]
    return {
        "EndpointName": endpoint.name,
        "EndpointArn": endpoint.arn,
        "VariantName": host["VariantName"],
        "Deployment": deployment_of(call, endpoint, request["Specification"], host, copies, number=1),
        "Replicas": [],
        "Retiring": [],
        "Serial": 0,
    }


def _tell(record: Record) -> dict[str, Any]:
    deployment = record.document.get("Previous") or record.document["Deployment"]
    current = record.document["Deployment"]
    serving = sum(replica["Serving"] for replica in record.document["Replicas"])
    return {
        "Specification": _summary(deployment),
        "RuntimeConfig": {
            "DesiredCopyCount": current["Variants"][0]["DesiredInstanceCount"],
            "CurrentCopyCount": serving,
        },
    }


def _summary(deployment: dict[str, Any]) -> dict[str, Any]:
    specification: dict[str, Any] = deployment["Specification"]
    if "Container" not in specification:
        return specification
    given, image = specification["Container"], containers_of(deployment["Models"][MODEL])[0]["Image"]
    deployed = {"DeployedImage": {"SpecifiedImage": given["Image"], "ResolvedImage": image}}
    kept = {member: given[member] for member in ("ArtifactUrl", "Environment") if member in given}
    return {**specification, "Container": {**deployed, **kept}}


COMPONENTS = Resource(
    base="InferenceComponent",
    kind=COMPONENT,
    missing='Could not find inference component "{arn}".',
    exists='Cannot create already existing inference component "{arn}".',
    initial=CREATING,
    prepare=_prepare,
    tell=_tell,
    filters={
        "EndpointNameEquals": equal_member("EndpointName"),
        "VariantNameEquals": equal_member("VariantName"),
    },
)
serve(COMPONENTS, "Describe", "List")


@operation("CreateInferenceComponent")
def create_inference_component(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    endpoint = find(call, ENDPOINTS, request["EndpointName"])
    return {"InferenceComponentArn": create(call, COMPONENTS, request, parent=endpoint.id).arn}


@operation("UpdateInferenceComponent")
def update_inference_component(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """A new specification comes in by stages, as the update of an endpoint does."""
    refuse_members(request, ("Specifications",))
    record = _get_in_service(call, request["InferenceComponentName"])
    current = record.document["Deployment"]
    copies = request.get("RuntimeConfig", {}).get("CopyCount", current["Variants"][0]["DesiredInstanceCount"])
    if "Specification" not in request:
        change_copies(call.house, record, copies)
        return {"InferenceComponentArn": record.arn}
    endpoint = find(call, ENDPOINTS, record.document["EndpointName"])
    host = host_of(endpoint, record.document["VariantName"])
    config = request.get("DeploymentConfig", ONE_BY_ONE)
    document = {
        **record.document,
        "Previous": current,
        "Deployment": deployment_of(call, endpoint, request["Specification"], host, copies, current["Number"] + 1),
        "Rollout": begin(config, time.time()),
        **({"LastDeploymentConfig": config} if "DeploymentConfig" in request else {}),
    }
    _begin_update(call.house, record, document)
    return {"InferenceComponentArn": record.arn}


@operation("UpdateInferenceComponentRuntimeConfig")
def update_inference_component_runtime_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _get_in_service(call, request["InferenceComponentName"])
    change_copies(call.house, record, request["DesiredRuntimeConfig"]["CopyCount"])
    return {"InferenceComponentArn": record.arn}


@operation("DeleteInferenceComponent")
def delete_inference_component(call: Call, request: dict[str, Any]) -> None:
    record = find(call, COMPONENTS, request["InferenceComponentName"])
    if record.state != DELETING:
        call.house.records.transition(record, DELETING)
        route = component_route(record.document["EndpointName"], record.name)
        call.house.router.withdraw(record.scope, route, record.id)
        call.house.supervisor.wake(COMPONENT, record.id)


def change_copies(house: House, record: Record, copies: int) -> None:
    before = record.document["Deployment"]
    variants = [{**before["Variants"][0], "DesiredInstanceCount": copies}]
    document = {**record.document, "Deployment": {**before, "Variants": variants}, "Before": before["Variants"]}
    _begin_update(house, record, document)


def _begin_update(house: House, record: Record, document: dict[str, Any]) -> None:
    document.pop("FailureReason", None)
    house.records.transition(record, UPDATING, document=document)
    house.supervisor.wake(COMPONENT, record.id)


def _get_in_service(call: Call, name: str) -> Record:
    record = find(call, COMPONENTS, name)
    if record.state != IN_SERVICE:
        raise invalid(f'Cannot update inference component "{record.arn}" in status {record.state.status}.')
    return record
