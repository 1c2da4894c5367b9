"""Processing as a family of jobs."""

from collections.abc import Sequence
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.log_rows import Lines
from clary.records.record import Record
from clary.services.sagemaker.instances.outputs import output_of, store_files
from clary.services.sagemaker.jobs.attempts import instance_id
from clary.services.sagemaker.jobs.base import Findings
from clary.services.sagemaker.processing.account import account_of
from clary.services.sagemaker.processing.instance import outputs, processing_instances, size
from clary.services.sagemaker.processing.kind import COURSE, PROCESSING_JOB


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
                    store_files(house, directory, uri)
        return {"ExitMessage": status.message} if status.message else {}
