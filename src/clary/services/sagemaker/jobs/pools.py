"""What becomes of a job's instances when it has ended, and where those of another come from."""

from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.record import Record


class Pools:
    """Of a family whose instances are each job's own, and are released with it. A family that keeps some overrides it;
    methods may be called again for what they did already."""

    def claim(self, _house: House, job: Record) -> Record:
        """The job that is about to start, with what its document tells of the instances that its own come after."""
        return job

    def leave(self, house: House, job: Record, status: InstanceStatus | None) -> None:
        """In the transaction that ended the job. `status` is its gang's, where it has one."""

    def holds(self, _job: Record) -> bool:
        """Whether the instances of a job that has ended are not to be released with it."""
        return False
