"""What a family of jobs says of itself; all else is the kit's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from clary.control.house import House
from clary.instance.spec import InstanceSpec, InstanceStatus
from clary.records.log_rows import Lines
from clary.records.metrics import Sample, Series
from clary.records.record import Kind, Record
from clary.services.sagemaker.jobs.course import Course


@dataclass(frozen=True)
class Findings:
    """What the lines of an instance say, kept in the transaction that keeps them."""

    samples: Sequence[tuple[Series, Sample]] = ()
    changes: Mapping[str, Any] = field(default_factory=dict)
    """Members of the job's document."""
    streams: Mapping[str, Lines] = field(default_factory=dict)
    """Where not all lines go to the instance's log stream: what its name is followed by → the lines of that stream."""


class Family(Protocol):
    """Methods may be called again for what they did already: a kill may come after each. They run on worker threads,
    for one job never two at once."""

    kind: Kind
    course: Course
    log_group: str
    verb: str
    """`Training`: the document keeps `TrainingStartTime` and `TrainingEndTime`."""

    def size(self, record: Record) -> int:
        """How many instances the job has. Their ids are those of `attempts.instance_ids`."""
        ...

    def specs(self, house: House, record: Record) -> Sequence[InstanceSpec]:
        """One for each instance, in the order of their numbers. Raises `JobError` for what the user must mend."""
        ...

    def log_stream(self, record: Record, number: int) -> str: ...

    def read(self, record: Record, lines: Lines) -> Findings:
        """What the family looks for in what an instance printed."""
        ...

    def account(self, house: House, record: Record) -> dict[str, Any]:
        """Parameters, artifacts and metrics for the job's trial component, as the job is now."""
        ...

    def keep(self, house: House, record: Record, status: InstanceStatus) -> dict[str, Any]:
        """Take what the instances of a job that has ended left into the object store; returns what the document says of
        it. `status` is the gang's. They are released afterwards, or left to a
        pool (`pools`). Raises `JobError`, which fails the job."""
        ...
