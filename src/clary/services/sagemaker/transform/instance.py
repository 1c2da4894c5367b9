"""From a transform job's document to what its instances are told.

What a container finds in its environment is SageMaker's documented contract ("Custom Inference Code with Batch
Transform").
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, Output, Source, Transform
from clary.records.record import Record
from clary.services.sagemaker.hosting.instance import model_instances
from clary.services.sagemaker.instances.inputs import read_objects
from clary.services.sagemaker.instances.types import instance_type
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.transform.api import MODEL

PREDICTIONS = "predictions"
"""The output of each instance."""
LONGEST_RUN = 28 * 24 * 3600
"""Seconds: AWS has no limit of a user's for a transform job, and this one for its longest jobs."""
STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


def size(record: Record) -> int:
    count: int = record.document["TransformResources"]["InstanceCount"]
    return count


def transform_instances(house: House, record: Record) -> Sequence[InstanceSpec]:
    """The specs of the job's instances; raises `JobError` for what the user must mend."""
    job, count = record.document, size(record)
    source = job["TransformInput"]["DataSource"]["S3DataSource"]
    found = [each for each in read_objects(house, source["S3DataType"], source["S3Uri"]) if not each[1].is_directory]
    kind, environment = instance_type(job["TransformResources"]["InstanceType"]), _environment(job)
    specs = []
    for number in range(1, count + 1):
        own = instance_id(record, number)
        [spec] = model_instances(house, record.scope, job[MODEL], kind, [own], f"algo-{number}", LONGEST_RUN)
        transform = _transform(job, found[number - 1 :: count])
        specs.append(
            replace(
                spec,
                environment={**spec.environment, **environment},
                transform=transform,
                outputs=[Output(PREDICTIONS, "", packed=False)],
                max_runtime=LONGEST_RUN,
            )
        )
    return specs


def _environment(job: dict[str, Any]) -> dict[str, str]:
    told = {
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": job.get("MaxPayloadInMB"),
        "SAGEMAKER_BATCH_STRATEGY": STRATEGIES.get(job.get("BatchStrategy", "")),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": job.get("MaxConcurrentTransforms"),
    }
    return {**{name: str(value) for name, value in told.items() if value is not None}, **job.get("Environment", {})}


def _transform(job: dict[str, Any], objects: list[tuple[str, Source]]) -> Transform:
    given, wanted = job["TransformInput"], job["TransformOutput"]
    processing, client = job.get("DataProcessing", {}), job.get("ModelClientConfig", {})
    return Transform(
        items=[source for _, source in objects],
        keys=[key for key, _ in objects],
        output=PREDICTIONS,
        content_type=given.get("ContentType", ""),
        accept=wanted.get("Accept", ""),
        gzip=given.get("CompressionType") == "Gzip",
        split=given.get("SplitType", "None"),
        strategy=job.get("BatchStrategy", ""),
        concurrency=job.get("MaxConcurrentTransforms", 0),
        payload=job.get("MaxPayloadInMB"),
        line=wanted.get("AssembleWith") == "Line",
        input_filter=processing.get("InputFilter", "$"),
        output_filter=processing.get("OutputFilter", "$"),
        joins=processing.get("JoinSource") == "Input",
        timeout=client.get("InvocationsTimeoutInSeconds", 600),
        retries=client.get("InvocationsMaxRetries", 3),
    )
