"""What an endpoint deploys, as its document keeps it.

The endpoint keeps copies of its configuration and models, so that deleting those changes nothing for it:

    Deployment  {"Number", "ConfigName", "Variants": [variant…], "Models": {name: model document}}
    variant     the configuration's ProductionVariant plus "DesiredWeight" and "DesiredInstanceCount"
    Replicas    [{"Id", "Variant", "Deployment", "Started"}…], listed before they are started
"""

import time
from typing import Any

from clary.services.call import Call
from clary.services.sagemaker.hosting.configs import get_endpoint_config
from clary.services.sagemaker.hosting.models import get_model


def new_deployment(call: Call, config_name: str, number: int) -> dict[str, Any]:
    """Copies of the configuration and of its models as they are now."""
    config = get_endpoint_config(call, config_name).document
    variants = [
        {
            **variant,
            "DesiredWeight": variant["InitialVariantWeight"],
            "DesiredInstanceCount": variant["InitialInstanceCount"],
        }
        for variant in config["ProductionVariants"]
    ]
    names = {variant["ModelName"] for variant in variants}
    models = {name: get_model(call, name).document for name in names}
    return {"Number": number, "ConfigName": config_name, "Variants": variants, "Models": models}


def retain_properties(deployment: dict[str, Any], previous: dict[str, Any], excluded: set[str]) -> None:
    """Carry weights and instance counts of variants of the same name over from the previous deployment."""
    before = {variant["VariantName"]: variant for variant in previous["Variants"]}
    for variant in deployment["Variants"]:
        for member in {"DesiredWeight", "DesiredInstanceCount"} - excluded:
            if variant["VariantName"] in before:
                variant[member] = before[variant["VariantName"]][member]


def allot_replicas(document: dict[str, Any], record_id: str) -> dict[str, Any]:
    """The document with as many replicas listed for the current deployment as it wants, surplus ones left out."""
    deployment, serial = document["Deployment"], document["Serial"]
    replicas = [r for r in document["Replicas"] if r["Deployment"] != deployment["Number"]]
    for variant in deployment["Variants"]:
        mine = [r for r in replicas_of(document, deployment["Number"]) if r["Variant"] == variant["VariantName"]]
        mine = mine[: variant["DesiredInstanceCount"]]
        for _ in range(variant["DesiredInstanceCount"] - len(mine)):
            serial += 1
            mine.append(
                {
                    "Id": f"{record_id}-{serial}",
                    "Variant": variant["VariantName"],
                    "Deployment": deployment["Number"],
                    "Started": time.time(),
                }
            )
        replicas += mine
    return {**document, "Replicas": replicas, "Serial": serial}


def replicas_of(document: dict[str, Any], deployment_number: int) -> list[dict[str, Any]]:
    return [replica for replica in document["Replicas"] if replica["Deployment"] == deployment_number]


def variant_of(document: dict[str, Any], replica: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The variant that a replica serves, and that variant's model document."""
    for deployment in (document["Deployment"], document.get("Previous")):
        if deployment is not None and deployment["Number"] == replica["Deployment"]:
            for variant in deployment["Variants"]:
                if variant["VariantName"] == replica["Variant"]:
                    return variant, deployment["Models"][variant["ModelName"]]
    raise KeyError(replica["Id"])
