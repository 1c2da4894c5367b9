"""Endpoint configuration operations."""

from typing import Any

from clary.control.call import Call
from clary.control.listing import list_records
from clary.records.errors import AlreadyExists, NotFound
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, not_built, refuse_members
from clary.services.sagemaker.hosting.kinds import ENDPOINT_CONFIG, EXISTS
from clary.services.sagemaker.hosting.models import get_model
from clary.services.sagemaker.resources import arn_of, create_resource, without_tags

NOT_BUILT = (
    "AsyncInferenceConfig",
    "CrossRegionTrafficConfig",
    "ExplainerConfig",
    "MetricsConfig",
    "ShadowProductionVariants",
)
NOT_BUILT_IN_VARIANTS = (
    "AcceleratorPartitionLayouts",
    "CapacityReservationConfig",
    "CoreDumpConfig",
    "EnableSSMAccess",
    "InstancePools",
    "ManagedInstanceScaling",
    "ServerlessConfig",
)


@operation("CreateEndpointConfig")
def create_endpoint_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    _refuse_what_is_not_built(request)
    variants = request["ProductionVariants"]
    names = [variant["VariantName"] for variant in variants]
    if len(set(names)) < len(names):
        raise invalid("The names of production variants must be unique within an endpoint configuration.")
    for variant in variants:
        get_model(call, variant["ModelName"])
        variant.setdefault("InitialVariantWeight", 1.0)
    name = request["EndpointConfigName"]
    try:
        record = create_resource(call, ENDPOINT_CONFIG, name, request, without_tags(request), EXISTS)
    except AlreadyExists:
        arn = arn_of(call, ENDPOINT_CONFIG, name)
        raise invalid(f'Cannot create already existing endpoint configuration "{arn}".') from None
    return {"EndpointConfigArn": record.arn}


@operation("DescribeEndpointConfig")
def describe_endpoint_config(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = get_endpoint_config(call, request["EndpointConfigName"])
    return {**record.document, "EndpointConfigArn": record.arn, "CreationTime": record.created}


@operation("ListEndpointConfigs")
def list_endpoint_configs(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return list_records(call, ENDPOINT_CONFIG, request, "EndpointConfigs", _summary)


@operation("DeleteEndpointConfig")
def delete_endpoint_config(call: Call, request: dict[str, Any]) -> None:
    call.house.records.delete(get_endpoint_config(call, request["EndpointConfigName"]))


def get_endpoint_config(call: Call, name: str) -> Record:
    try:
        return call.house.records.get(ENDPOINT_CONFIG, call.scope, name)
    except NotFound:
        arn = arn_of(call, ENDPOINT_CONFIG, name)
        raise invalid(f'Could not find endpoint configuration "{arn}".') from None


def _summary(record: Record) -> dict[str, Any]:
    return {
        "EndpointConfigName": record.name,
        "EndpointConfigArn": record.arn,
        "CreationTime": record.created,
    }


def _refuse_what_is_not_built(request: dict[str, Any]) -> None:
    refuse_members(request, NOT_BUILT)
    if request.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise not_built("Data capture")
    for variant in request["ProductionVariants"]:
        refuse_members(variant, NOT_BUILT_IN_VARIANTS)
        for member in ("ModelName", "InstanceType", "InitialInstanceCount"):
            if member not in variant:
                raise not_built(f"A production variant without {member}")
