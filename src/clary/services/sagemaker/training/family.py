"""Training as a family of jobs: its states, its metrics and the artefacts that it leaves."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.log_rows import Lines
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.training.instance import instance_id, training_instance
from clary.services.sagemaker.training.kind import COURSE, TRAINING_JOB
from clary.services.sagemaker.training.metrics import find_metrics

ARTIFACTS = ("model.tar.gz", "output.tar.gz")


def output_prefix(record: Record) -> str:
    """`s3://bucket/path/<job>/output`: where the job's artefacts go."""
    return f"{record.document['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record.name}/output"


class Training:
    kind = TRAINING_JOB
    course = COURSE
    log_group = "/aws/sagemaker/TrainingJobs"
    verb = "Training"

    def size(self, record: Record) -> int:
        count: int = record.document["ResourceConfig"].get("InstanceCount", 1)
        return count

    def specs(self, house: House, record: Record) -> Sequence[InstanceSpec]:
        return [training_instance(house, record)]

    def log_stream(self, record: Record, number: int) -> str:
        return f"{record.name}/algo-{number}-{int(record.created)}"

    def read(self, record: Record, lines: Lines) -> Findings:
        return find_metrics(record, lines)

    def keep(self, house: House, record: Record, _status: InstanceStatus) -> dict[str, Any]:
        """Take the packed outputs of the first instance into the object store."""
        kept: dict[str, Any] = {}
        for name in ARTIFACTS:
            uri = f"{output_prefix(record)}/{name}"
            path = _output(house, record, name)
            if path is None:
                continue
            bucket, key = split_s3_uri(uri)
            try:
                house.objects.adopt(bucket, key, _second_name(path))
            except KeyError:
                raise JobError(
                    f'ClientError: Failed to upload artifacts: the bucket "{bucket}" of S3OutputPath does not exist.'
                ) from None
            if name == "model.tar.gz":
                kept["ModelArtifacts"] = {"S3ModelArtifacts": uri}
        return kept


def _output(house: House, record: Record, name: str) -> Path | None:
    try:
        return house.engine.output(instance_id(record), name)
    except KeyError:
        return None


def _second_name(path: Path) -> Path:
    """Another link to a packed output, for the object store to take."""
    taken = path.with_name(f"{path.name}.taken")
    taken.unlink(missing_ok=True)
    os.link(path, taken)
    return taken
