"""Models: containers to be deployed."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Kind
from clary.services.sagemaker.errors import invalid, refuse_members
from clary.services.sagemaker.model_registry.containers import from_package
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.operations import serve
from clary.services.sagemaker.search.declaring import serve_search

NOT_BUILT_IN_CONTAINERS = ("AdditionalModelDataSources", "ContainerMetricsConfig", "ImageConfig")
MOST_CONTAINERS = 15
NOT_BUILT_IN_S3_SOURCES = ("ETag", "HubAccessConfig", "ManifestEtag", "ManifestS3Uri")


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _check(call, request)
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


def containers_of(model: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers of a model's document, in the order in which a request passes them."""
    containers: list[dict[str, Any]] = model.get("Containers") or [model["PrimaryContainer"]]
    return containers


def hostname_of(container: dict[str, Any], position: int) -> str:
    """By which a container is told from the others of its model; `position` counts from 0."""
    return str(container.get("ContainerHostname") or f"container-{position + 1}")


def is_direct(model: dict[str, Any]) -> bool:
    """Whether a call names the container that it is for."""
    return bool(model.get("InferenceExecutionConfig", {}).get("Mode") == "Direct")


def serves_many(container: dict[str, Any]) -> bool:
    return container.get("Mode") == "MultiModel"


def unpacked(call: Call, model: dict[str, Any]) -> list[dict[str, Any]]:
    """The containers, each as its package says where it names one."""
    return [each for container in containers_of(model) for each in from_package(call, container)]


def _check(call: Call, request: dict[str, Any]) -> None:
    if request.get("Containers") and request.get("PrimaryContainer"):
        raise invalid("A model has either a PrimaryContainer or Containers, not both.")
    if not request.get("Containers") and not request.get("PrimaryContainer"):
        raise invalid("A model needs a PrimaryContainer or Containers.")
    for container in containers_of(request):
        refuse_members(container, NOT_BUILT_IN_CONTAINERS)
        refuse_members(container.get("ModelDataSource", {}).get("S3DataSource", {}), NOT_BUILT_IN_S3_SOURCES)
        _check_many(container)
    containers = unpacked(call, request)
    if any("Image" not in container for container in containers):
        raise invalid("A container needs an Image, or a ModelPackageName that has one.")
    _check_together(request, containers)


def _check_many(container: dict[str, Any]) -> None:
    if not serves_many(container):
        if "MultiModelConfig" in container:
            raise invalid("MultiModelConfig is for containers whose Mode is MultiModel.")
        return
    if "ModelDataSource" in container:
        raise invalid("ModelDataSource cannot be used with multi-model endpoints: give a ModelDataUrl.")
    if "ModelDataUrl" not in container:
        raise invalid("A container whose Mode is MultiModel needs a ModelDataUrl: the prefix of its models' archives.")


def _check_together(request: dict[str, Any], containers: list[dict[str, Any]]) -> None:
    named = [container["ContainerHostname"] for container in containers if "ContainerHostname" in container]
    if len(containers) > MOST_CONTAINERS:
        raise invalid(f"A model has at most {MOST_CONTAINERS} containers, and this one has {len(containers)}.")
    if len(containers) > 1 and named and len(set(named)) < len(containers):
        raise invalid("Give each container a ContainerHostname of its own, or none of them one.")
    many = sum(map(serves_many, containers))
    if is_direct(request):
        if len(containers) < 2 or not named:
            raise invalid("Direct invocation needs several containers, each with a ContainerHostname.")
        if many:
            raise invalid("Containers in MultiModel mode are not supported with direct invocation.")
    if many > 1:
        raise invalid("More than one container in MultiModel mode is not supported with inference pipeline.")
