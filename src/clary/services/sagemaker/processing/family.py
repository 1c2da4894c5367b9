"""Processing as a family of jobs."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.log_rows import Lines
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from clary.services.sagemaker.instances.outputs import output_of
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.processing.account import account_of
from clary.services.sagemaker.processing.instance import outputs, processing_instances, size
from clary.services.sagemaker.processing.kind import COURSE, PROCESSING_JOB

AT_ONCE = 8
"""Files that are stored at a time: each waits for the disk."""


class Processing:
    kind = PROCESSING_JOB
    course = COURSE
    log_group = "/aws/sagemaker/ProcessingJobs"
    verb = "Processing"

    def size(self, record: Record) -> int:
        return size(record)

    def specs(self, house: House, record: Record) -> Sequence[InstanceSpec]:
        return processing_instances(house, record)

    def log_stream(self, record: Record, number: int) -> str:
        return f"{record.name}/algo-{number}-{int(record.created)}"

    def read(self, _record: Record, _lines: Lines) -> Findings:
        return Findings()

    def account(self, _house: House, record: Record) -> dict[str, Any]:
        return account_of(record)

    def keep(self, house: House, record: Record, status: InstanceStatus) -> dict[str, Any]:
        """Store each file of the output directories of every instance. Where two wrote a file of the same name, that of
        the later instance stays."""
        for number in range(1, size(record) + 1):
            for output, uri in outputs(record):
                directory = output_of(house, instance_id(record, number), output.name)
                if directory is not None:
                    _store(house, directory, uri)
        return {"ExitMessage": status.message} if status.message else {}


def _store(house: House, directory: Path, uri: str) -> None:
    bucket, prefix = split_s3_uri(uri)

    def store(path: Path) -> None:
        name = path.relative_to(directory).as_posix()
        key = f"{prefix.rstrip('/')}/{name}" if prefix else name
        try:
            house.objects.adopt(bucket, key, path)
        except KeyError:
            raise JobError(
                f'ClientError: Failed to upload {name}: the bucket "{bucket}" of {uri} does not exist.'
            ) from None

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Exhausted, so that the first failure is raised.
        for _ in pool.map(store, _files(directory)):
            pass


def _files(directory: Path) -> Iterator[Path]:
    """Every regular file below; the program may have left links and pipes, which are passed over."""
    for parent, _, names in os.walk(directory):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path
