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
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.instance import model_instances
from clary.services.sagemaker.hosting.models import containers_of
from clary.services.sagemaker.instances.inputs import read_objects
from clary.services.sagemaker.instances.types import instance_type
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.transform.api import MODEL
from clary.services.sagemaker.transform.capture import CONFIG, inference_time

PREDICTIONS, LISTED = "predictions", "transformed"
"""The outputs of each instance; the second where data is captured."""
LONGEST_RUN = 28 * 24 * 3600
"""Seconds: AWS has no limit of a user's for a transform job, and this one for its longest jobs."""
STRATEGIES = {"SingleRecord": "SINGLE_RECORD", "MultiRecord": "MULTI_RECORD"}


def containers(record: Record) -> int:
    """An instance of Clary's each: how many make one of the job's."""
    return len(containers_of(record.document[MODEL]))


def size(record: Record) -> int:
    count: int = record.document["TransformResources"]["InstanceCount"]
    return count * containers(record)


def transform_instances(house: House, record: Record) -> Sequence[InstanceSpec]:
    """The specs of the job's instances; raises `JobError` for what the user must mend."""
    job, each = record.document, containers(record)
    count = size(record) // each
    if each > 1 and not house.engine.shares_disk:
        raise JobError(
            "ClientError: batch transform with several containers on other machines is not built in Clary yet."
        )
    source = job["TransformInput"]["DataSource"]["S3DataSource"]
    found = [it for it in read_objects(house, source["S3DataType"], source["S3Uri"]) if not it[1].is_directory]
    kind, environment = instance_type(job["TransformResources"]["InstanceType"]), _environment(job)
    specs: list[InstanceSpec] = []
    for number in range(1, count + 1):
        own = [instance_id(record, (number - 1) * each + place) for place in range(1, each + 1)]
        gang = model_instances(house, record.scope, job[MODEL], kind, own, f"algo-{number}", LONGEST_RUN)
        gang = [replace(spec, environment={**spec.environment, **environment}) for spec in gang]
        transform = replace(
            _transform(job, found[number - 1 :: count]), through=own[1:], inference_time=inference_time(record)
        )
        outputs = [Output(PREDICTIONS, "", packed=False)]
        if CONFIG in job:
            transform.listed = LISTED
            outputs.append(Output(LISTED, ""))
        first = replace(gang[0], transform=transform, outputs=outputs, max_runtime=LONGEST_RUN)
        specs += [first, *gang[1:]]
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
