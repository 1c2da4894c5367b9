"""What DescribeEndpoint and ListEndpoints tell of an endpoint, its variants and an update that is under way."""

from typing import Any

from clary.records.record import Record
from clary.services.sagemaker.hosting.configs import hosts_components
from clary.services.sagemaker.hosting.deployment import replicas_of
from clary.services.sagemaker.hosting.kinds import CREATING, UPDATING
from clary.services.sagemaker.hosting.models import containers_of
from clary.services.sagemaker.hosting.serverless import CONFIG, is_serverless
from clary.services.sagemaker.hosting.stages import BAKING, TERMINATING, shares

CARRIED = ("ManagedInstanceScaling", "RoutingConfig")
"""Members that a summary repeats as the configuration has them."""


def told(record: Record) -> dict[str, Any]:
    document = record.document
    pending = document["Deployment"] if record.state == CREATING or "Previous" in document else None
    serving = document.get("Previous") or document["Deployment"]
    told: dict[str, Any] = {"EndpointConfigName": serving["ConfigName"]}
    if "AsyncInferenceConfig" in serving:
        told["AsyncInferenceConfig"] = serving["AsyncInferenceConfig"]
    if "DataCaptureConfig" in serving:
        told["DataCaptureConfig"] = _capture(serving["DataCaptureConfig"])
    if record.state != CREATING:
        told |= _variants(record, serving)
    if pending is not None:
        began = document["Rollout"]["Began"] if "Rollout" in document else record.created
        told["PendingDeploymentSummary"] = {
            "EndpointConfigName": pending["ConfigName"],
            "StartTime": began,
            **_variants(record, pending, pending=True),
        }
    return told


def _capture(config: dict[str, Any]) -> dict[str, Any]:
    enabled = config.get("EnableCapture", True)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
        "KmsKeyId": config.get("KmsKeyId", ""),
    }


def _variants(record: Record, deployment: dict[str, Any], *, pending: bool = False) -> dict[str, Any]:
    summaries: dict[bool, list[dict[str, Any]]] = {False: [], True: []}
    for variant in deployment["Variants"]:
        summary = _summary(record, deployment, variant)
        if pending:
            kept = {member: variant[member] for member in ("InstanceType", "AcceleratorType") if member in variant}
            summary |= kept
        summaries[bool(variant.get("Shadow"))].append(summary)
    named = {"ProductionVariants": summaries[False], "ShadowProductionVariants": summaries[True]}
    return {member: listed for member, listed in named.items() if listed}


def _summary(record: Record, deployment: dict[str, Any], variant: dict[str, Any]) -> dict[str, Any]:
    name = variant["VariantName"]
    hosts = hosts_components(variant)
    containers = [] if hosts else containers_of(deployment["Models"][variant["ModelName"]])
    status = _status(record, deployment)
    return {
        "VariantName": name,
        "DeployedImages": [
            {"SpecifiedImage": each["Image"], "ResolvedImage": each["Image"], "ResolutionTime": record.created}
            for each in containers
        ],
        "CurrentWeight": variant["DesiredWeight"] * _on(record.document, deployment, name),
        "DesiredWeight": variant["DesiredWeight"],
        "CurrentInstanceCount": variant["DesiredInstanceCount"] if hosts else _serving(record, deployment, name),
        **_wanted(variant),
        **({"VariantStatus": [status]} if status else {}),
        **{member: variant[member] for member in CARRIED if member in variant},
    }


def _wanted(variant: dict[str, Any]) -> dict[str, Any]:
    if not is_serverless(variant):
        return {"DesiredInstanceCount": variant["DesiredInstanceCount"]}
    return {"CurrentServerlessConfig": variant[CONFIG], "DesiredServerlessConfig": variant[CONFIG]}


def _status(record: Record, deployment: dict[str, Any]) -> dict[str, Any]:
    """Empty where nothing is done to the variants of a deployment."""
    rollout = record.document.get("Rollout")
    if record.state == CREATING:
        return {"Status": "Creating", "StartTime": record.created}
    if rollout is None:
        return {"Status": "Updating", "StartTime": record.modified} if record.state == UPDATING else {}
    incoming = deployment["Number"] == record.document["Deployment"]["Number"]
    if rollout["Phase"] == TERMINATING:
        status = "ActivatingTraffic" if incoming else "Deleting"
    elif rollout["Phase"] == BAKING:
        status = "Baking" if incoming else "Updating"
    else:
        status = "Creating" if incoming else "Updating"
    reason = {"StatusMessage": rollout["Failure"]} if "Failure" in rollout else {}
    return {"Status": status, "StartTime": rollout["Since"], **reason}


def _on(document: dict[str, Any], deployment: dict[str, Any], name: str) -> float:
    """Which share of a variant takes traffic."""
    on = shares(document)
    if not on:
        return 1.0
    share = on.get(name, max(on.values()))
    return share if deployment["Number"] == document["Deployment"]["Number"] else 1.0 - share


def _serving(record: Record, deployment: dict[str, Any], name: str) -> int:
    replicas = replicas_of(record.document, deployment["Number"])
    return sum(replica["Serving"] and replica["Variant"] == name for replica in replicas)
