"""Serverless variants: no instance until a call comes, and none again after a while without calls.

    call ─▶ the router has no replica ─▶ wake the endpoint ─▶ arouse: one instance ─▶ published ─▶ the call is sent
                                          (each step) ─ nobody called for `serverless_idle` ─▶ arouse: none

One instance answers all calls of a variant, as many at once as MaxConcurrency says; with ProvisionedConcurrency it is
always there. How many a variant wants is its DesiredInstanceCount, as it is of other variants.
"""

from typing import Any

from clary.control.house import House
from clary.records.record import Record
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.hosting.models import containers_of, serves_many
from clary.services.sagemaker.instances.types import InstanceType, instance_type

CONFIG = "ServerlessConfig"
MIB = 1024 * 1024
SIZES = range(1024, 6144 + 1, 1024)
MIB_PER_VCPU = 1769
"""AWS says that compute is in proportion to the memory, and for its functions how much that is."""


def is_serverless(variant: dict[str, Any]) -> bool:
    return CONFIG in variant


def check_variants(variants: list[dict[str, Any]], models: list[dict[str, Any]]) -> None:
    """Refuse what a configuration asks for that has a serverless variant; `models` are those of the variants."""
    if not any(map(is_serverless, variants)):
        return
    if len(variants) > 1:
        raise invalid("An endpoint configuration with a serverless variant has that variant alone.")
    [variant], [model] = variants, models
    for member in ("InstanceType", "InitialInstanceCount", "AcceleratorType"):
        if member in variant:
            raise invalid(f"{member} cannot be specified for a variant that has a ServerlessConfig.")
    if len(containers_of(model)) > 1 or any(map(serves_many, containers_of(model))):
        raise invalid("A serverless variant serves a model of one container, which is not in MultiModel mode.")
    if model.get("EnableNetworkIsolation") or model.get("VpcConfig"):
        raise invalid("Serverless variants support neither network isolation nor a VpcConfig.")
    check_config(variant[CONFIG])


def check_config(config: dict[str, Any]) -> None:
    if config["MemorySizeInMB"] not in SIZES:
        raise invalid(f"MemorySizeInMB is {config['MemorySizeInMB']}: it must be one of {', '.join(map(str, SIZES))}.")
    provisioned = config.get("ProvisionedConcurrency", 0)
    if provisioned > config["MaxConcurrency"]:
        raise invalid(
            f"ProvisionedConcurrency ({provisioned}) must be less than or equal to MaxConcurrency "
            f"({config['MaxConcurrency']})."
        )


def changed(variant: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """The variant after a `ServerlessUpdateConfig`."""
    if not is_serverless(variant):
        raise invalid(f"ServerlessUpdateConfig is for serverless variants, and {variant['VariantName']} is none.")
    config = {**variant[CONFIG], **update}
    check_config(config)
    return {**variant, CONFIG: config}


def first_count(variant: dict[str, Any]) -> int:
    """How many instances a new variant begins with."""
    if not is_serverless(variant):
        return int(variant["InitialInstanceCount"])
    return int(_is_provisioned(variant))


def promised(variant: dict[str, Any]) -> InstanceType:
    """What an instance of the variant is."""
    if not is_serverless(variant):
        return instance_type(variant["InstanceType"])
    memory = variant[CONFIG]["MemorySizeInMB"]
    return InstanceType("serverless", max(1, memory // MIB_PER_VCPU), memory * MIB)


def arouse(house: House, record: Record) -> Record:
    """Let serverless variants that are called have their instance, and those that are not let go of it."""
    document = record.document
    for member in ("Deployment", "Previous"):
        if member in document:
            variants = [_aroused(house, record, variant) for variant in document[member]["Variants"]]
            document = {**document, member: {**document[member], "Variants": variants}}
    return record if document == record.document else house.records.update(record, document)


def _aroused(house: House, record: Record, variant: dict[str, Any]) -> dict[str, Any]:
    if not is_serverless(variant):
        return variant
    idle = house.router.demand.idle(record.scope, record.name, variant["VariantName"])
    awake = idle < house.settings.serverless_idle if variant["DesiredInstanceCount"] else idle == 0
    return {**variant, "DesiredInstanceCount": int(awake or _is_provisioned(variant))}


def _is_provisioned(variant: dict[str, Any]) -> bool:
    return "ProvisionedConcurrency" in variant[CONFIG]


def most_at_once(document: dict[str, Any]) -> dict[str, int]:
    """By serverless variant: MaxConcurrency."""
    deployments = [document[member] for member in ("Previous", "Deployment") if member in document]
    variants = [variant for deployment in deployments for variant in deployment["Variants"]]
    return {v["VariantName"]: v[CONFIG]["MaxConcurrency"] for v in variants if is_serverless(v)}


def sleeps(record: Record) -> bool:
    """Whether nothing happens to the endpoint until a call comes."""
    document = record.document
    busy = document["Replicas"] or document["Retiring"] or "Rollout" in document
    return not busy and all(map(is_serverless, document["Deployment"]["Variants"]))


def sleeps_in(house: House, record: Record) -> float:
    """Seconds after which an endpoint that nobody calls lets go of its instance; infinite where that never is."""
    idles = [
        house.router.demand.idle(record.scope, record.name, variant["VariantName"])
        for variant in record.document["Deployment"]["Variants"]
        if is_serverless(variant) and variant["DesiredInstanceCount"] and not _is_provisioned(variant)
    ]
    return max(0.0, house.settings.serverless_idle - min(idles)) if idles else float("inf")
