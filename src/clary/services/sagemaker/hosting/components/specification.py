"""From a component's specification to a deployment of one variant, of which each replica is a copy."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.hosting.configs import hosts_components
from clary.services.sagemaker.hosting.deployment import deployable
from clary.services.sagemaker.hosting.models import MODELS, containers_of, serves_many
from clary.services.sagemaker.instances.types import instance_type
from clary.services.sagemaker.resources.handling import find

MODEL = "component"
"""The name of a component's only model within its deployment."""
MEBIBYTE = 2**20
SHARED = ("DataCaptureConfig",)
"""What of its endpoint's deployment holds for a component."""
NOT_BUILT = ("BaseInferenceComponentName", "InstanceType", "SchedulingConfig")


def host_of(endpoint: Record, name: str | None) -> dict[str, Any]:
    """The variant of that name, or the only one, that hosts components."""
    variants = [v for v in endpoint.document["Deployment"]["Variants"] if name in (None, v["VariantName"])]
    if not variants:
        raise invalid(f'The variant "{name}" does not exist within endpoint "{endpoint.arn}".')
    if len(variants) > 1:
        raise invalid(f'The endpoint "{endpoint.arn}" has several variants: give a VariantName.')
    if not hosts_components(variants[0]):
        raise invalid(
            f"The variant {variants[0]['VariantName']} has a model of its own: inference components are for variants "
            "whose configuration names none."
        )
    found: dict[str, Any] = variants[0]
    return found


def deployment_of(
    call: Call, endpoint: Record, specification: dict[str, Any], host: dict[str, Any], copies: int, number: int
) -> dict[str, Any]:
    refuse_members(specification, NOT_BUILT)
    kind = host["InstanceType"]
    variant = {
        "VariantName": host["VariantName"],
        "ModelName": MODEL,
        "InstanceType": kind,
        "DesiredWeight": 1.0,
        "DesiredInstanceCount": copies,
        **{member: host[member] for member in ("RoutingConfig",) if member in host},
        **specification.get("StartupParameters", {}),
        **_resources(specification, kind),
    }
    model = deployable(call, _model(call, endpoint, specification))
    if len(containers_of(model)) > 1:
        raise not_built("An inference component with a model of several containers")
    if serves_many(containers_of(model)[0]):
        raise not_built("An inference component with a container in MultiModel mode")
    shared = endpoint.document["Deployment"]
    return {
        "Number": number,
        "ConfigName": "",
        "Variants": [variant],
        "Models": {MODEL: model},
        "Specification": specification,
        **{member: shared[member] for member in SHARED if member in shared},
    }


def _model(call: Call, endpoint: Record, specification: dict[str, Any]) -> dict[str, Any]:
    if ("ModelName" in specification) == ("Container" in specification):
        raise invalid("The Specification of an inference component has either a ModelName or a Container.")
    if "ModelName" in specification:
        return find(call, MODELS, specification["ModelName"]).document
    container = specification["Container"]
    refuse_members(container, ("ContainerMetricsConfig",))
    if "Image" not in container:
        raise invalid("The Container of an inference component needs an Image.")
    data = {"ModelDataUrl": container["ArtifactUrl"]} if "ArtifactUrl" in container else {}
    primary = {"Image": container["Image"], "Environment": container.get("Environment", {}), **data}
    return {"PrimaryContainer": primary, "ExecutionRoleArn": endpoint.document["Deployment"]["ExecutionRoleArn"]}


def _resources(specification: dict[str, Any], kind: str) -> dict[str, Any]:
    """`Promised`: what each copy may use; `Needs`: what it takes of its host's room."""
    if "ComputeResourceRequirements" not in specification:
        raise invalid("The Specification of an inference component needs ComputeResourceRequirements.")
    needs = specification["ComputeResourceRequirements"]
    refuse_members(needs, ("AcceleratorPartitionType",))
    least, most = needs["MinMemoryRequiredInMb"], needs.get("MaxMemoryRequiredInMb", needs["MinMemoryRequiredInMb"])
    if most < least:
        raise invalid(f"MaxMemoryRequiredInMb ({most}) is less than MinMemoryRequiredInMb ({least}).")
    cores, gpus = needs.get("NumberOfCpuCoresRequired", 0.0), needs.get("NumberOfAcceleratorDevicesRequired", 0.0)
    promised = {"vcpus": cores or instance_type(kind).vcpus, "memory": most * MEBIBYTE, "gpus": gpus}
    return {"Promised": promised, "Needs": {"vcpus": cores, "memory": least * MEBIBYTE, "gpus": gpus}}
