"""Batch transform as a family of jobs."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.instance.transform.running import SAID
from clary.records.log_rows import Lines
from clary.records.record import Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.models import containers_of, hostname_of
from clary.services.sagemaker.instances.outputs import output_of, store_files
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.transform.account import account_of
from clary.services.sagemaker.transform.api import MODEL
from clary.services.sagemaker.transform.capture import CONFIG, capture
from clary.services.sagemaker.transform.instance import LISTED, PREDICTIONS, size, transform_instances
from clary.services.sagemaker.transform.kind import COURSE, TRANSFORM_JOB

DATA_LOG = "/data-log"
"""At the end of the name of the stream that tells of the objects; the other has what the model's container printed."""


class Transforming:
    kind = TRANSFORM_JOB
    course = COURSE
    log_group = "/aws/sagemaker/TransformJobs"
    verb = "Transform"

    def size(self, record: Record) -> int:
        return size(record)

    def specs(self, house: House, record: Record) -> Sequence[InstanceSpec]:
        return transform_instances(house, record)

    def log_stream(self, record: Record, number: int) -> str:
        """Where the model has several containers each has one, by its hostname."""
        many = containers_of(record.document[MODEL])
        machine, place = divmod(number - 1, len(many))
        stream = f"{record.name}/algo-{machine + 1}-{int(record.created)}"
        return f"{stream}/{hostname_of(many[place], place)}" if len(many) > 1 else stream

    def read(self, _record: Record, lines: Lines) -> Findings:
        told = [line for line in lines if SAID in line[1]]
        printed = [line for line in lines if SAID not in line[1]]
        return Findings(streams={"": printed, DATA_LOG: told} if told else {})

    def account(self, _house: House, record: Record) -> dict[str, Any]:
        return account_of(record)

    def keep(self, house: House, record: Record, status: InstanceStatus) -> dict[str, Any]:
        """Store what came of the objects that were transformed, also where others failed; of a job that was stopped
        nothing, as AWS documents."""
        if status.outcome != "Stopped":
            for number in range(1, size(record) + 1):
                directory = output_of(house, instance_id(record, number), PREDICTIONS)
                if directory is not None:
                    store_files(house, directory, record.document["TransformOutput"]["S3OutputPath"])
            if CONFIG in record.document:
                capture(house, record, _transformed(house, record))
        if status.outcome == "Completed" and status.message:
            raise JobError(status.message.splitlines()[0])
        return {}


def _transformed(house: House, record: Record) -> Iterator[tuple[str, str]]:
    for number in range(1, size(record) + 1):
        listed = output_of(house, instance_id(record, number), LISTED)
        if listed is not None:
            yield from json.loads(listed.read_text())
