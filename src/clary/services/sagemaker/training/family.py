"""Training as a family of jobs: its states, its metrics and the artefacts that it leaves."""

import math
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.log_rows import Lines
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from clary.services.sagemaker.instances.outputs import output_of, store_files
from clary.services.sagemaker.jobs.attempts import Attempt, instance_id
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.training.account import account_of
from clary.services.sagemaker.training.artifacts import merge
from clary.services.sagemaker.training.cluster import count
from clary.services.sagemaker.training.instance import MODEL, is_packed, outputs, training_instances
from clary.services.sagemaker.training.kind import COURSE, TRAINING_JOB
from clary.services.sagemaker.training.metrics import find_metrics

ARTIFACTS = ("model.tar.gz", "output.tar.gz")
MOST_NAMES = 20
"""Of files that are told of one by one."""


def output_prefix(record: Record) -> str:
    """`s3://bucket/path/<job>/output`: where the job's artefacts go."""
    return f"{record.document['OutputDataConfig']['S3OutputPath'].rstrip('/')}/{record.name}/output"


class Training:
    kind = TRAINING_JOB
    course = COURSE
    log_group = "/aws/sagemaker/TrainingJobs"
    verb = "Training"

    def size(self, record: Record) -> int:
        return count(record.document["ResourceConfig"])

    def specs(self, house: House, record: Record) -> Sequence[InstanceSpec]:
        return training_instances(house, record)

    def log_stream(self, record: Record, number: int) -> str:
        return f"{record.name}/algo-{number}-{int(Attempt.of(record).began)}"

    def read(self, record: Record, lines: Lines) -> Findings:
        return find_metrics(record, lines)

    def account(self, house: House, record: Record) -> dict[str, Any]:
        return account_of(house, record)

    def keep(self, house: House, record: Record, status: InstanceStatus) -> dict[str, Any]:
        """Take what the instances packed into the object store, as one object for each kind of output."""
        kept: dict[str, Any] = {}
        if Attempt.of(record).billed:
            kept["BillableTimeInSeconds"] = max(1, math.ceil(Attempt.of(record).billable(status)))
        if not is_packed(record):
            return {**kept, **self._keep_files(house, record)}
        for name in ARTIFACTS:
            uri = f"{output_prefix(record)}/{name}"
            path = self._one_archive(house, record, name)
            if path is None:
                continue
            bucket, key = split_s3_uri(uri)
            try:
                house.objects.adopt(bucket, key, path)
            except KeyError:
                raise JobError(
                    f'ClientError: Failed to upload artifacts: the bucket "{bucket}" of S3OutputPath does not exist.'
                ) from None
            if name == "model.tar.gz":
                kept["ModelArtifacts"] = {"S3ModelArtifacts": uri}
        return kept

    def _keep_files(self, house: House, record: Record) -> dict[str, Any]:
        """Store the files of all instances below a prefix for each kind of output. Of a file of the same name that of
        the lowest number stays, as in an archive."""
        found = 0
        for number in range(self.size(record), 0, -1):
            for output in outputs(record):
                directory = output_of(house, instance_id(record, number), output.name)
                if directory is not None:
                    stored = store_files(house, directory, f"{output_prefix(record)}/{output.name}/")
                    found += stored if output.directory == MODEL else 0
        return {"ModelArtifacts": {"S3ModelArtifacts": f"{output_prefix(record)}/model/"}} if found else {}

    def _one_archive(self, house: House, record: Record, name: str) -> Path | None:
        """A file for the object store to take. Where only one instance left something, as is usual, that is it."""
        numbers = range(1, self.size(record) + 1)
        found = {number: output_of(house, instance_id(record, number), name) for number in numbers}
        packed = {number: path for number, path in found.items() if path is not None}
        if not packed:
            return None
        first = next(iter(packed.values()))
        if len(packed) == 1:
            return first
        # A new file each time: one that was made before may be a stored body by now.
        merged = first.with_name(f"{name}.merged")
        merged.unlink(missing_ok=True)
        for number, names in zip(packed, merge(list(packed.values()), merged), strict=True):
            if names:
                self._tell_of_clash(house, record, name, number, names)
        return merged

    def _tell_of_clash(self, house: House, record: Record, archive: str, number: int, names: list[str]) -> None:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        said = (
            f"Not in {archive}, because an instance with a lower number left a file of the same name: "
            f"{', '.join(names[:MOST_NAMES])}{more}"
        )
        house.logs.append(record.scope, self.log_group, self.log_stream(record, number), [(time.time(), said)])
