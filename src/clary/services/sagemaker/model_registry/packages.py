"""Model packages: models that can be deployed, each by itself or as a version of a group, approved or not."""

from dataclasses import replace
from typing import Any

from clary.control.call import Call
from clary.records.query import Query
from clary.records.record import Record, State
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, refuse_members
from clary.services.sagemaker.lineage.tracking import draw_version
from clary.services.sagemaker.model_registry.groups import MODEL_PACKAGE, MODEL_PACKAGE_GROUPS
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import create, find, told
from clary.services.sagemaker.resources.listing import equal_member, list_resources
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.resources.shapes import cut
from clary.services.sagemaker.search.declaring import serve_search
from clary.wire.errors import ServiceError
from clary.wire.models import service_model

GROUP, VERSION, TYPE = "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageType"
LAST_VERSION = "LastModelPackageVersion"
"""Member of a group's document. A number is not given again when its version is deleted."""
PENDING = "PendingManualApproval"
MOST_SPECIFICATIONS = 15
NOT_BUILT = ("CertifyForMarketplace", "SourceAlgorithmSpecification", "ValidationSpecification")
OF_THE_REQUEST = {
    "AdditionalInferenceSpecificationsToAdd",
    "ClientToken",
    "CustomerMetadataPropertiesToRemove",
    "ModelPackageArn",
}
"""Members of an Update request that are not the package's."""


def _prepare(_call: Call, request: dict[str, Any]) -> dict[str, Any]:
    refuse_members(request, NOT_BUILT)
    if GROUP in request:
        return {TYPE: "Versioned", "ModelApprovalStatus": PENDING, **request}
    if "InferenceSpecification" not in request:
        raise invalid("A model package without a group needs an InferenceSpecification.")
    if "ModelApprovalStatus" in request:
        raise invalid("ModelApprovalStatus is for versions of a model package group only.")
    return {TYPE: "Unversioned", **request}


def _tell(record: Record) -> dict[str, Any]:
    return {
        "ModelPackageName": None if GROUP in record.document else record.name,
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreatedBy": {},
        "LastModifiedBy": {},
    }


def _amend(document: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    changes = {member: value for member, value in request.items() if member not in OF_THE_REQUEST}
    properties = {**document.get("CustomerMetadataProperties", {}), **request.get("CustomerMetadataProperties", {})}
    for name in request.get("CustomerMetadataPropertiesToRemove", []):
        properties.pop(name, None)
    more = request.get("AdditionalInferenceSpecificationsToAdd", [])
    specifications = document.get("AdditionalInferenceSpecifications", []) + more
    if len(specifications) > MOST_SPECIFICATIONS:
        raise invalid(f"A model package has at most {MOST_SPECIFICATIONS} additional inference specifications.")
    return {
        **document,
        **changes,
        "CustomerMetadataProperties": properties,
        "AdditionalInferenceSpecifications": specifications,
    }


def _of_type(query: Query, wanted: str) -> Query:
    return query if wanted == "Both" else replace(query, members=(*query.members, (TYPE, wanted)))


def _of_group(query: Query, name_or_arn: str) -> Query:
    return replace(query, members=(*query.members, (GROUP, name_or_arn.rpartition("/")[2])))


MODEL_PACKAGES = Resource(
    base="ModelPackage",
    kind=MODEL_PACKAGE,
    missing="ModelPackage {arn} does not exist.",
    exists="Model Package already exists: {arn}",
    initial=State("Completed"),
    prepare=_prepare,
    amend=_amend,
    tell=_tell,
    order="Ascending",
    filters={
        "ModelApprovalStatus": equal_member("ModelApprovalStatus"),
        GROUP: _of_group,
        TYPE: _of_type,
    },
)
serve(MODEL_PACKAGES, "Describe", "Delete")
serve_search(MODEL_PACKAGES)


@operation("CreateModelPackage")
def create_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if GROUP in request and "ModelPackageName" in request:
        raise invalid(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if GROUP in request:
        return {"ModelPackageArn": _add_version(call, request).arn}
    if "ModelPackageName" not in request:
        raise invalid("Missing ARN.")
    return {"ModelPackageArn": create(call, MODEL_PACKAGES, request).arn}


def _add_version(call: Call, request: dict[str, Any]) -> Record:
    if "Tags" in request:
        raise invalid("A version of a model package group cannot have tags of its own: it has those of its group.")
    group = find(call, MODEL_PACKAGE_GROUPS, request[GROUP])
    if "ClientToken" in request:
        same = Query(parent=group.id, members=(("ClientToken", request["ClientToken"]),), max_results=1)
        for earlier in call.house.records.list(MODEL_PACKAGES.kind, call.scope, same).records:
            return earlier
    version = group.document.get(LAST_VERSION, 0) + 1
    named = {**request, GROUP: group.name, VERSION: version, "ModelPackageName": f"{group.name}/{version}"}
    with call.house.records.together():
        call.house.records.update(group, {**group.document, LAST_VERSION: version})
        package = create(call, MODEL_PACKAGES, named, parent=group.id)
        draw_version(call.house, group, package)
        return package


@operation("UpdateModelPackage")
def update_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = find(call, MODEL_PACKAGES, request["ModelPackageArn"])
    if GROUP not in record.document:
        raise invalid(f"Only versions of a model package group can be updated, and {record.arn} is none.")
    with call.house.records.together():
        changed = call.house.records.update(record, _amend(record.document, request))
        if "ModelApprovalStatus" in request:
            draw_version(call.house, find(call, MODEL_PACKAGE_GROUPS, record.document[GROUP]), changed)
    return {"ModelPackageArn": record.arn}


@operation("ListModelPackages")
def list_model_packages(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    kind = "Versioned" if GROUP in request else "Unversioned"
    return list_resources(call, MODEL_PACKAGES, {TYPE: kind, **request})


@operation("BatchDescribeModelPackage")
def batch_describe_model_package(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    shape = service_model("sagemaker").operation_model("BatchDescribeModelPackage").output_shape
    members = frozenset(shape.members["ModelPackageSummaries"].value.members)
    summaries, errors = {}, {}
    for arn in request["ModelPackageArnList"]:
        try:
            summaries[arn] = cut(told(MODEL_PACKAGES, find(call, MODEL_PACKAGES, arn)), members)
        except ServiceError as error:
            errors[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
    return {"ModelPackageSummaries": summaries, "BatchDescribeModelPackageErrorMap": errors}
