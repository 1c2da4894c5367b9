"""What an endpoint deploys, as its document keeps it.

The endpoint keeps copies of its configuration and models, so that deleting those changes nothing for it:

    Deployment  {"Number", "ConfigName", "Variants": [variant…], "Models": {name: model document}}, and `KEPT`
    variant     the configuration's ProductionVariant plus "DesiredWeight" and "DesiredInstanceCount"; of its
                ShadowProductionVariants plus "Shadow"
    Previous    the deployment that an update takes out while it takes the current one in, and Rollout, how far that
                is (`stages.py`); Before, the Variants as they were before their weights and counts were changed
    Replicas    [{"Id", "Variant", "Deployment", "Serving", "Instances"}…], listed before they are started; Serving
                since the first health check that was answered; an instance for each container of the model
    Retiring    replicas that are no longer wanted, with when they were "Retired", until they are released
"""

import time
from collections.abc import Mapping, Set
from typing import Any

from clary.control.call import Call
from clary.services.sagemaker.hosting.configs import ENDPOINT_CONFIGS, hosts_components
from clary.services.sagemaker.hosting.models import MODELS, containers_of, hostname_of, unpacked
from clary.services.sagemaker.hosting.serverless import first_count
from clary.services.sagemaker.instances.images import pinned
from clary.services.sagemaker.resources.handling import find

KEPT = ("AsyncInferenceConfig", "DataCaptureConfig", "ExecutionRoleArn")
"""Members of a configuration that a deployment has as they are."""


def new_deployment(call: Call, config_name: str, number: int) -> dict[str, Any]:
    """Copies of the configuration and of its models as they are now."""
    config = find(call, ENDPOINT_CONFIGS, config_name).document
    shadows = [{**variant, "Shadow": True} for variant in config.get("ShadowProductionVariants", [])]
    variants = [
        {
            **variant,
            "DesiredWeight": variant["InitialVariantWeight"],
            "DesiredInstanceCount": first_count(variant),
        }
        for variant in config["ProductionVariants"] + shadows
    ]
    names = {variant["ModelName"] for variant in variants if not hosts_components(variant)}
    models = {name: deployable(call, find(call, MODELS, name).document) for name in names}
    kept = {member: config[member] for member in KEPT if member in config}
    return {"Number": number, "ConfigName": config_name, "Variants": variants, "Models": models, **kept}


def deployable(call: Call, model: dict[str, Any]) -> dict[str, Any]:
    """The model with its containers, as their packages say where they name one. Their images stay what they are now:
    a replica that is started later is as the others."""
    rest = {member: value for member, value in model.items() if member != "PrimaryContainer"}
    containers = [
        {**container, "Image": pinned(call.house, call.scope, container["Image"])}
        for container in unpacked(call, model)
    ]
    return {**rest, "Containers": containers}


def retain_properties(deployment: dict[str, Any], previous: dict[str, Any], excluded: set[str]) -> None:
    """Carry weights and instance counts of variants of the same name, and data capture, over from the previous
    deployment."""
    before = {variant["VariantName"]: variant for variant in previous["Variants"]}
    for variant in deployment["Variants"]:
        for member in {"DesiredWeight", "DesiredInstanceCount"} - excluded:
            if variant["VariantName"] in before:
                variant[member] = before[variant["VariantName"]][member]
    if "DataCaptureConfig" not in excluded:
        deployment.pop("DataCaptureConfig", None)
        deployment.update({k: v for k, v in previous.items() if k == "DataCaptureConfig"})


def allot_replicas(
    document: dict[str, Any], record_id: str, deployment: dict[str, Any], counts: Mapping[str, int]
) -> dict[str, Any]:
    """The document with so many replicas listed for each variant of `deployment`; surplus ones retire."""
    serial = document["Serial"]
    replicas = [replica for replica in document["Replicas"] if replica["Deployment"] != deployment["Number"]]
    models = {v["VariantName"]: deployment["Models"].get(v.get("ModelName")) for v in deployment["Variants"]}
    for name, count in counts.items():
        mine = [r for r in replicas_of(document, deployment["Number"]) if r["Variant"] == name][:count]
        for _ in range(count - len(mine)):
            serial += 1
            mine.append(
                {
                    "Id": f"{record_id}-{serial}",
                    "Variant": name,
                    "Deployment": deployment["Number"],
                    "Serving": False,
                    "Instances": _instances(f"{record_id}-{serial}", models[name]),
                }
            )
        replicas += mine
    return {**retire_others(document, replicas), "Serial": serial}


def _instances(replica_id: str, model: dict[str, Any]) -> list[dict[str, str]]:
    containers = containers_of(model)
    if len(containers) == 1:
        return [{"Id": replica_id, "Container": ""}]
    return [
        {"Id": f"{replica_id}.{position + 1}", "Container": hostname_of(container, position)}
        for position, container in enumerate(containers)
    ]


def replicas_wanted(variant: dict[str, Any]) -> int:
    """Of the variant itself: what it hosts has replicas of its own."""
    count: int = variant["DesiredInstanceCount"]
    return 0 if hosts_components(variant) else count


def instances_of(replica: dict[str, Any]) -> dict[str, str]:
    """Ids of a replica's instances → their containers' hostnames, empty for one that is alone; in their order."""
    instances = replica.get("Instances", [{"Id": replica["Id"], "Container": ""}])
    return {instance["Id"]: instance["Container"] for instance in instances}


def retire_others(document: dict[str, Any], kept: list[dict[str, Any]]) -> dict[str, Any]:
    """The document with only `kept` as its replicas: the others have until they are stopped to finish."""
    ids = {replica["Id"] for replica in kept}
    leaving = [{**replica, "Retired": time.time()} for replica in document["Replicas"] if replica["Id"] not in ids]
    return {**document, "Replicas": kept, "Retiring": document["Retiring"] + leaving}


def note_serving(document: dict[str, Any], healthy: Set[str]) -> dict[str, Any]:
    """The document with those of its replicas marked that have come to serve."""
    replicas = [{**r, "Serving": r["Serving"] or r["Id"] in healthy} for r in document["Replicas"]]
    return {**document, "Replicas": replicas}


def deployments_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The current deployment and, during an update, the one before it."""
    return [document[member] for member in ("Deployment", "Previous") if member in document]


def replicas_of(document: dict[str, Any], deployment_number: int) -> list[dict[str, Any]]:
    return [replica for replica in document["Replicas"] if replica["Deployment"] == deployment_number]


def variant_of(document: dict[str, Any], replica: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The variant that a replica serves, and that variant's model document."""
    for deployment in deployments_of(document):
        for variant in deployment["Variants"]:
            if (deployment["Number"], variant["VariantName"]) == (replica["Deployment"], replica["Variant"]):
                return variant, deployment["Models"][variant["ModelName"]]
    raise KeyError(replica["Id"])
