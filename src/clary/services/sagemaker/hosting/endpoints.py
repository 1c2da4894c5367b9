"""Endpoint operations."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built
from clary.services.sagemaker.hosting.deployment import new_deployment, replicas_of, retain_properties
from clary.services.sagemaker.hosting.kinds import CREATING, DELETING, ENDPOINT, UPDATING
from clary.services.sagemaker.hosting.models import container_of
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search


@operation("UpdateEndpoint")
def update_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(request)
    record = _get_in_service(call, request["EndpointName"])
    current = record.document["Deployment"]
    if current["ConfigName"] == request["EndpointConfigName"]:
        raise invalid(
            f'Cannot update endpoint "{record.arn}" with its own configuration: create a new one and name that.'
        )
    deployment = new_deployment(call, request["EndpointConfigName"], number=current["Number"] + 1)
    if request.get("RetainAllVariantProperties"):
        excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
        retain_properties(deployment, current, excluded)
    document = {**record.document, "Previous": current, "Deployment": deployment}
    _begin_update(call, record, document)
    return {"EndpointArn": record.arn}


@operation("UpdateEndpointWeightsAndCapacities")
def update_endpoint_weights_and_capacities(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _get_in_service(call, request["EndpointName"])
    changes = {change["VariantName"]: change for change in request["DesiredWeightsAndCapacities"]}
    variants = [{**variant} for variant in record.document["Deployment"]["Variants"]]
    unknown = changes.keys() - {variant["VariantName"] for variant in variants}
    if unknown:
        raise invalid(f'The variant(s) "{", ".join(sorted(unknown))}" do not exist within endpoint "{record.arn}".')
    for variant in variants:
        change = changes.get(variant["VariantName"], {})
        if "ServerlessUpdateConfig" in change:
            raise not_built("ServerlessUpdateConfig")
        for member in ("DesiredWeight", "DesiredInstanceCount"):
            variant[member] = change.get(member, variant[member])
    deployment = {**record.document["Deployment"], "Variants": variants}
    _begin_update(call, record, {**record.document, "Deployment": deployment})
    return {"EndpointArn": record.arn}


@operation("DeleteEndpoint")
def delete_endpoint(call: Call, request: dict[str, Any]) -> None:
    record = find(call, ENDPOINTS, request["EndpointName"])
    if record.state != DELETING:
        call.house.records.transition(record, DELETING)
        call.house.router.withdraw(record.scope, record.name, record.id)
        call.house.supervisor.wake(ENDPOINT, record.id)


def _begin_update(call: Call, record: Record, document: dict[str, Any]) -> None:
    document.pop("FailureReason", None)
    call.house.records.transition(record, UPDATING, document=document)
    call.house.supervisor.wake(ENDPOINT, record.id)


def _get_in_service(call: Call, name: str) -> Record:
    record = find(call, ENDPOINTS, name)
    if record.state.status in {"Creating", "Updating"}:
        raise invalid(f'Cannot update in-progress endpoint "{record.arn}".')
    if record.state.status != "InService":
        raise invalid(f'Cannot update endpoint "{record.arn}" in status {record.state.status}.')
    return record


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(request)
    return {
        "Deployment": new_deployment(call, request["EndpointConfigName"], number=1),
        "Replicas": [],
        "Retiring": [],
        "Serial": 0,
    }


def _told(record: Record) -> dict[str, Any]:
    serving = record.document.get("Previous") or record.document["Deployment"]
    told = {"EndpointConfigName": serving["ConfigName"]}
    if record.state != CREATING:
        told["ProductionVariants"] = [_variant_summary(record, serving, v) for v in serving["Variants"]]
    return told


def _variant_summary(record: Record, deployment: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    image = container_of(deployment["Models"][variant["ModelName"]])["Image"]
    return {
        "VariantName": variant["VariantName"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": record.created}],
        "CurrentWeight": variant["DesiredWeight"],
        "DesiredWeight": variant["DesiredWeight"],
        "CurrentInstanceCount": _serving(record, deployment, variant),
        "DesiredInstanceCount": variant["DesiredInstanceCount"],
    }


def _serving(record: Record, deployment: dict[str, Any], variant: dict[str, Any]) -> int:
    replicas = replicas_of(record.document, deployment["Number"])
    return sum(replica["Serving"] and replica["Variant"] == variant["VariantName"] for replica in replicas)


def _refuse_what_is_not_built(request: dict[str, Any]) -> None:
    if request.get("DeploymentConfig"):
        raise not_built("DeploymentConfig (canary, linear and rolling deployments)")


ENDPOINTS = Resource(
    base="Endpoint",
    kind=ENDPOINT,
    missing='Could not find endpoint "{arn}".',
    exists='Cannot create already existing endpoint "{arn}".',
    initial=CREATING,
    prepare=_prepare,
    tell=_told,
    from_inclusive=True,
)
serve(ENDPOINTS, "Create", "Describe", "List")
serve_search(ENDPOINTS)
