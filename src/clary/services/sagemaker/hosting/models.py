"""Models: containers to be deployed."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Kind
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.model_registry.containers import from_package
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search

NOT_BUILT_IN_CONTAINERS = (
    "AdditionalModelDataSources",
    "ContainerMetricsConfig",
    "ImageConfig",
    "MultiModelConfig",
)
NOT_BUILT_IN_S3_SOURCES = ("ETag", "HubAccessConfig", "ManifestEtag", "ManifestS3Uri")


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(call, request)
    return {"EnableNetworkIsolation": False, **request}


MODELS = Resource(
    base="Model",
    kind=Kind("model"),
    missing='Could not find model "{arn}".',
    exists='Cannot create already existing model "{arn}".',
    prepare=_prepare,
    from_inclusive=True,
)
serve(MODELS, "Create", "Describe", "List", "Delete")
serve_search(MODELS, within="Model")


def container_of(model: dict[str, Any]) -> dict[str, Any]:
    """The one container of a model's document."""
    container: dict[str, Any] = model.get("PrimaryContainer") or model["Containers"][0]
    return container


def _refuse_what_is_not_built(call: Call, request: dict[str, Any]) -> None:
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
    if "Image" not in from_package(call, container):
        raise invalid("A container needs an Image, or a ModelPackageName that has one.")
