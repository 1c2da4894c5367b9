"""What a transform job's trial component says of it, under the names that AWS gives."""

from typing import Any

from clary.records.record import Record


def account_of(record: Record) -> dict[str, Any]:
    job = record.document
    resources, given, wanted = job["TransformResources"], job["TransformInput"], job["TransformOutput"]
    source = given["DataSource"]["S3DataSource"]
    return {
        "Parameters": {
            "SageMaker.InstanceCount": {"NumberValue": resources["InstanceCount"]},
            "SageMaker.InstanceType": {"StringValue": resources["InstanceType"]},
            "SageMaker.ModelName": {"StringValue": job["ModelName"]},
        },
        "InputArtifacts": {"SageMaker.TransformInput": _artifact(source["S3Uri"], given.get("ContentType"))},
        "OutputArtifacts": {"SageMaker.TransformOutput": _artifact(wanted["S3OutputPath"], wanted.get("Accept"))},
    }


def _artifact(uri: str, media_type: str | None) -> dict[str, str]:
    return {"Value": uri, **({"MediaType": media_type} if media_type else {})}
