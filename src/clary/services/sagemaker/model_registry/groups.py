"""Model package groups: what holds the versions of one model, and who else may see them."""

import json
from typing import Any

from clary.control.call import Call
from clary.records.query import Query
from clary.records.record import Kind, Record, State
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.listing import own_account_only
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search
from clary.wire.errors import ServiceError

MODEL_PACKAGE = Kind("model-package")
POLICY = "ResourcePolicy"
"""Member of a group's document."""


def _only_empty(call: Call, group: Record) -> None:
    versions = Query(parent=group.id, max_results=1)
    if call.house.records.list(MODEL_PACKAGE, call.scope, versions).records:
        raise ServiceError("ConflictException", f"Model Package Group {group.arn} cannot be deleted: it has versions.")


MODEL_PACKAGE_GROUPS = Resource(
    base="ModelPackageGroup",
    kind=Kind("model-package-group"),
    missing="ModelPackageGroup {arn} does not exist.",
    exists="Model Package Group already exists: {arn}",
    initial=State("Completed"),
    tell=lambda _record: {"CreatedBy": {}},
    guard=_only_empty,
    order="Ascending",
    filters={"CrossAccountFilterOption": own_account_only},
)
serve(MODEL_PACKAGE_GROUPS, "Create", "Describe", "List", "Delete")
serve_search(MODEL_PACKAGE_GROUPS)


@operation("PutModelPackageGroupPolicy")
def put_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    group = _group(call, request)
    try:
        policy = json.loads(request[POLICY])
    except ValueError as error:
        raise invalid(f"The ResourcePolicy is not valid JSON: {error}") from None
    if not isinstance(policy, dict) or "Statement" not in policy:
        raise invalid("The ResourcePolicy is not valid: a policy is a JSON object with a Statement.")
    call.house.records.update(group, {**group.document, POLICY: request[POLICY]})
    return {"ModelPackageGroupArn": group.arn}


@operation("GetModelPackageGroupPolicy")
def get_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {POLICY: _with_policy(_group(call, request)).document[POLICY]}


@operation("DeleteModelPackageGroupPolicy")
def delete_policy(call: Call, request: dict[str, Any]) -> None:
    group = _with_policy(_group(call, request))
    remaining = {member: value for member, value in group.document.items() if member != POLICY}
    call.house.records.update(group, remaining)


def _group(call: Call, request: dict[str, Any]) -> Record:
    return find(call, MODEL_PACKAGE_GROUPS, request["ModelPackageGroupName"])


def _with_policy(group: Record) -> Record:
    if POLICY not in group.document:
        raise invalid(f"Cannot find resource policy for: {group.arn}")
    return group
