"""Model operations."""

from typing import Any

from clary.control.call import Call
from clary.control.listing import list_records
from clary.records.errors import AlreadyExists, NotFound
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.hosting.kinds import EXISTS, MODEL
from clary.services.sagemaker.resources import arn_of, create_resource, without_tags

NOT_BUILT_IN_CONTAINERS = (
    "AdditionalModelDataSources",
    "ContainerMetricsConfig",
    "ImageConfig",
    "InferenceSpecificationName",
    "ModelPackageName",
    "MultiModelConfig",
)
NOT_BUILT_IN_S3_SOURCES = ("ETag", "HubAccessConfig", "ManifestEtag", "ManifestS3Uri")


@operation("CreateModel")
def create_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(request)
    name = request["ModelName"]
    try:
        record = create_resource(call, MODEL, name, request, without_tags(request), EXISTS)
    except AlreadyExists:
        raise invalid(f'Cannot create already existing model "{arn_of(call, MODEL, name)}".') from None
    return {"ModelArn": record.arn}


@operation("DescribeModel")
def describe_model(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = get_model(call, request["ModelName"])
    return {
        "EnableNetworkIsolation": False,
        **record.document,
        "ModelArn": record.arn,
        "CreationTime": record.created,
    }


@operation("ListModels")
def list_models(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return list_records(call, MODEL, request, "Models", _summary)


@operation("DeleteModel")
def delete_model(call: Call, request: dict[str, Any]) -> None:
    call.house.records.delete(get_model(call, request["ModelName"]))


def get_model(call: Call, name: str) -> Record:
    try:
        return call.house.records.get(MODEL, call.scope, name)
    except NotFound:
        raise invalid(f'Could not find model "{arn_of(call, MODEL, name)}".') from None


def container_of(model: dict[str, Any]) -> dict[str, Any]:
    """The one container of a model's document."""
    container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return container


def _summary(record: Record) -> dict[str, Any]:
    return {"ModelName": record.name, "ModelArn": record.arn, "CreationTime": record.created}


def _refuse_what_is_not_built(request: dict[str, Any]) -> None:
    if request.get("Containers") and request.get("PrimaryContainer"):
        raise invalid("A model has either a PrimaryContainer or Containers, not both.")
    containers = request.get("Containers") or [c for c in (request.get("PrimaryContainer"),) if c]
    if not containers:
        raise invalid("A model needs a PrimaryContainer or Containers.")
    if len(containers) > 1:
        raise not_built("A model of several containers (an inference pipeline)")
    container = containers[0]
    refuse_members(container, NOT_BUILT_IN_CONTAINERS)
    refuse_members(container.get("ModelDataSource", {}).get("S3DataSource", {}), NOT_BUILT_IN_S3_SOURCES)
    if container.get("Mode") == "MultiModel":
        raise not_built("A multi-model container")
    if "Image" not in container:
        raise not_built("A container without Image (from a model package)")
