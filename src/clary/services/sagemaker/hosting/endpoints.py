"""Endpoint operations."""

import time
from typing import Any

from clary.control.call import Call
from clary.control.house import House
from clary.records.query import Query
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.hosting.configs import hosts_components
from clary.services.sagemaker.hosting.deployment import new_deployment, retain_properties
from clary.services.sagemaker.hosting.describing import told
from clary.services.sagemaker.hosting.guardrails import check_deployment_config
from clary.services.sagemaker.hosting.kinds import COMPONENT, CREATING, DELETING, ENDPOINT, UPDATING
from clary.services.sagemaker.hosting.serverless import changed
from clary.services.sagemaker.hosting.stages import begin
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search

MOST_HOSTED = 10_000
"""Inference components of one endpoint."""


@operation("UpdateEndpoint")
def update_endpoint(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _get_in_service(call, request["EndpointName"])
    current = record.document["Deployment"]
    if current["ConfigName"] == request["EndpointConfigName"]:
        raise invalid(
            f'Cannot update endpoint "{record.arn}" with its own configuration: create a new one and name that.'
        )
    deployment = new_deployment(call, request["EndpointConfigName"], number=current["Number"] + 1)
    if ("AsyncInferenceConfig" in deployment) is not ("AsyncInferenceConfig" in current):
        raise invalid(f'Cannot update endpoint "{record.arn}" from or to asynchronous inference: create another one.')
    if request.get("RetainAllVariantProperties"):
        excluded = {item["VariantPropertyType"] for item in request.get("ExcludeRetainedVariantProperties", [])}
        retain_properties(deployment, current, excluded)
    _check_hosts(call, record, deployment)
    config = _deployment_config(record, request)
    check_deployment_config(call, config, deployment["Variants"])
    document = {
        **record.document,
        "Previous": current,
        "Deployment": deployment,
        "Rollout": begin(config, time.time()),
        "LastDeploymentConfig": config,
    }
    begin_update(call.house, record, document)
    return {"EndpointArn": record.arn}


@operation("UpdateEndpointWeightsAndCapacities")
def update_endpoint_weights_and_capacities(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _get_in_service(call, request["EndpointName"])
    change_variants(call.house, record, request["DesiredWeightsAndCapacities"])
    return {"EndpointArn": record.arn}


def change_variants(house: House, record: Record, desired: list[dict[str, Any]]) -> None:
    """Give variants of an endpoint in service other weights and instance counts (`DesiredWeightAndCapacity`)."""
    changes = {change["VariantName"]: change for change in desired}
    variants = [{**variant} for variant in record.document["Deployment"]["Variants"]]
    unknown = changes.keys() - {variant["VariantName"] for variant in variants}
    if unknown:
        raise invalid(f'The variant(s) "{", ".join(sorted(unknown))}" do not exist within endpoint "{record.arn}".')
    for number, variant in enumerate(variants):
        change = changes.get(variant["VariantName"], {})
        if "ServerlessUpdateConfig" in change:
            variant = variants[number] = changed(variant, change["ServerlessUpdateConfig"])
        for member in ("DesiredWeight", "DesiredInstanceCount"):
            variant[member] = change.get(member, variant[member])
    before = record.document["Deployment"]
    document = {**record.document, "Deployment": {**before, "Variants": variants}, "Before": before["Variants"]}
    begin_update(house, record, document)


@operation("DeleteEndpoint")
def delete_endpoint(call: Call, request: dict[str, Any]) -> None:
    record = find(call, ENDPOINTS, request["EndpointName"])
    hosted = call.house.records.list(COMPONENT, call.scope, Query(parent=record.id, max_results=1)).records
    if hosted:
        raise invalid(f'Cannot delete endpoint "{record.arn}": it hosts the inference component {hosted[0].name}.')
    if record.state != DELETING:
        call.house.records.transition(record, DELETING)
        call.house.router.withdraw(record.scope, record.name, record.id)
        call.house.supervisor.wake(ENDPOINT, record.id)


def begin_update(house: House, record: Record, document: dict[str, Any]) -> None:
    document.pop("FailureReason", None)
    house.records.transition(record, UPDATING, document=document)
    house.supervisor.wake(ENDPOINT, record.id)


def _check_hosts(call: Call, record: Record, deployment: dict[str, Any]) -> None:
    """Whoever is hosted keeps its place."""
    hosts = {variant["VariantName"] for variant in deployment["Variants"] if hosts_components(variant)}
    hosted = call.house.records.list(COMPONENT, call.scope, Query(parent=record.id, max_results=MOST_HOSTED)).records
    for component in hosted:
        if component.document["VariantName"] not in hosts:
            raise invalid(
                f"The variant {component.document['VariantName']} hosts the inference component {component.name}: the "
                "new configuration has to have it, and without a model."
            )


def _deployment_config(record: Record, request: dict[str, Any]) -> dict[str, Any]:
    kept: dict[str, Any] = record.document.get("LastDeploymentConfig", {})
    if not request.get("RetainDeploymentConfig"):
        return dict(request.get("DeploymentConfig", {}))
    if "DeploymentConfig" in request:
        raise invalid("DeploymentConfig cannot be specified where RetainDeploymentConfig is true.")
    return kept


def _get_in_service(call: Call, name: str) -> Record:
    record = find(call, ENDPOINTS, name)
    if record.state.status in {"Creating", "Updating"}:
        raise invalid(f'Cannot update in-progress endpoint "{record.arn}".')
    if record.state.status != "InService":
        raise invalid(f'Cannot update endpoint "{record.arn}" in status {record.state.status}.')
    return record


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    deployment = new_deployment(call, request["EndpointConfigName"], number=1)
    config = request.get("DeploymentConfig", {})
    check_deployment_config(call, config, deployment["Variants"])
    kept = {"LastDeploymentConfig": config} if config else {}
    return {"Deployment": deployment, "Replicas": [], "Retiring": [], "Serial": 0, **kept}


ENDPOINTS = Resource(
    base="Endpoint",
    kind=ENDPOINT,
    missing='Could not find endpoint "{arn}".',
    exists='Cannot create already existing endpoint "{arn}".',
    initial=CREATING,
    prepare=_prepare,
    tell=told,
    from_inclusive=True,
)
serve(ENDPOINTS, "Create", "Describe", "List")
serve_search(ENDPOINTS)
