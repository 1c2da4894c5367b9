"""What a processing job's trial component says of it, under the names that AWS gives."""

from typing import Any

from clary.records.record import Record


def account_of(record: Record) -> dict[str, Any]:
    job = record.document
    cluster = job["ProcessingResources"]["ClusterConfig"]
    return {
        "Parameters": {
            "SageMaker.InstanceCount": {"NumberValue": cluster.get("InstanceCount", 1)},
            "SageMaker.InstanceType": {"StringValue": cluster["InstanceType"]},
            "SageMaker.VolumeSizeInGB": {"NumberValue": cluster["VolumeSizeInGB"]},
        },
        "InputArtifacts": {
            "SageMaker.ImageUri": {"Value": job["AppSpecification"]["ImageUri"]},
            **_places(job.get("ProcessingInputs", []), "InputName", "S3Input"),
        },
        "OutputArtifacts": _places(job.get("ProcessingOutputConfig", {}).get("Outputs", []), "OutputName", "S3Output"),
    }


def _places(given: list[dict[str, Any]], name: str, member: str) -> dict[str, Any]:
    return {each[name]: {"Value": each[member]["S3Uri"]} for each in given if each.get(member, {}).get("S3Uri")}
