"""Endpoint configurations: which models an endpoint deploys, on what."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Kind
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.hosting.accelerators import check_accelerator
from clary.services.sagemaker.hosting.models import MODELS
from clary.services.sagemaker.hosting.serverless import check_variants, is_serverless
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker.resources.operations import serve

NOT_BUILT = (
    "CrossRegionTrafficConfig",
    "ExplainerConfig",
    "MetricsConfig",
)
LEAST_BUSY, RANDOM = "LEAST_OUTSTANDING_REQUESTS", "RANDOM"
NOT_BUILT_IN_VARIANTS = (
    "AcceleratorPartitionLayouts",
    "CapacityReservationConfig",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "InstancePools",
)


def _prepare(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(request)
    production, shadows = request["ProductionVariants"], request.get("ShadowProductionVariants", [])
    if shadows and (len(production), len(shadows)) != (1, 1):
        raise invalid("An endpoint configuration with a shadow variant has one production variant and one shadow.")
    names = [variant["VariantName"] for variant in production + shadows]
    if len(set(names)) < len(names):
        raise invalid("The names of production variants must be unique within an endpoint configuration.")
    named = [find(call, MODELS, v["ModelName"]).document for v in production + shadows if not hosts_components(v)]
    check_variants(production + shadows, named)
    for variant in production + shadows:
        if hosts_components(variant):
            _check_host(request, variant)
        check_accelerator(call.house, variant)
    members = {"ProductionVariants": production, **({"ShadowProductionVariants": shadows} if shadows else {})}
    weighted = {name: [{"InitialVariantWeight": 1.0, **v} for v in variants] for name, variants in members.items()}
    return {**request, **weighted}


ENDPOINT_CONFIGS = Resource(
    base="EndpointConfig",
    kind=Kind("endpoint-config"),
    missing='Could not find endpoint configuration "{arn}".',
    exists='Cannot create already existing endpoint configuration "{arn}".',
    prepare=_prepare,
    from_inclusive=True,
)
serve(ENDPOINT_CONFIGS, "Create", "Describe", "List", "Delete")


def _refuse_what_is_not_built(request: dict[str, Any]) -> None:
    refuse_members(request, NOT_BUILT)
    if any(map(is_serverless, request["ProductionVariants"])):
        for member in ("AsyncInferenceConfig", "DataCaptureConfig"):
            if member in request:
                raise invalid(f"{member} cannot be specified for a serverless variant.")
    if "AsyncInferenceConfig" in request:
        _check_asynchronous(request)
    if _captures(request) and any(map(hosts_components, request["ProductionVariants"])):
        raise not_built("Data capture of inference components")
    if "DataCaptureConfig" in request and not request["DataCaptureConfig"]["DestinationS3Uri"].startswith("s3://"):
        raise not_built("A DestinationS3Uri that does not begin with s3://")
    for variant in request["ProductionVariants"] + request.get("ShadowProductionVariants", []):
        refuse_members(variant, NOT_BUILT_IN_VARIANTS)
        if not hosts_components(variant):
            refuse_members(variant, ("ManagedInstanceScaling",))
        for member in ("ModelName",) if is_serverless(variant) else ("InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise not_built(f"A production variant without {member}")
        routing = variant.get("RoutingConfig", {}).get("RoutingStrategy", LEAST_BUSY)
        if routing not in (LEAST_BUSY, RANDOM):
            raise not_built(f"RoutingStrategy {routing}")
        refuse_members(variant.get("ManagedInstanceScaling", {}), ("ScaleInPolicy",))


def _captures(request: dict[str, Any]) -> bool:
    return "DataCaptureConfig" in request and bool(request["DataCaptureConfig"].get("EnableCapture", True))


def _check_asynchronous(request: dict[str, Any]) -> None:
    output = request["AsyncInferenceConfig"]["OutputConfig"]
    if len(request["ProductionVariants"] + request.get("ShadowProductionVariants", [])) > 1:
        raise not_built("An asynchronous endpoint of several variants")
    if any(map(hosts_components, request["ProductionVariants"])):
        raise not_built("An asynchronous endpoint of inference components")
    if _captures(request):
        raise not_built("Data capture of an asynchronous endpoint")
    if "S3OutputPath" not in output:
        raise not_built("An AsyncInferenceConfig without S3OutputPath")
    for member in ("S3OutputPath", "S3FailurePath"):
        if not output.get(member, "s3://").startswith("s3://"):
            raise not_built(f"An {member} that does not begin with s3://")


def hosts_components(variant: dict[str, Any]) -> bool:
    """Whether a variant has no model of its own, and its instances are for inference components."""
    return "ModelName" not in variant


def most_hosts(variant: dict[str, Any]) -> int:
    """How many instances of a variant there may be for inference components."""
    scaling = variant.get("ManagedInstanceScaling", {})
    count: int = variant["DesiredInstanceCount"]
    return max(count, scaling.get("MaxInstanceCount", count)) if scaling.get("Status") == "ENABLED" else count


def _check_host(request: dict[str, Any], variant: dict[str, Any]) -> None:
    if "ExecutionRoleArn" not in request:
        raise invalid(
            f"The variant {variant['VariantName']} names no model: an endpoint of inference components needs an "
            "ExecutionRoleArn in its configuration."
        )
    if request.get("ShadowProductionVariants"):
        raise invalid("An endpoint of inference components has no shadow variants.")
