"""The instances of one job, looked at as one.

The gang is as far as its slowest instance, and entered a phase when the last of them did. One that fails, or ends
before its time, ends the gang: the others are stopped, and the outcome is that of the first, or of one that was lost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import get_args

from clary.control.house import House
from clary.instance.report import REASON_LIMIT
from clary.instance.spec import InstanceSpec, InstanceStatus, Phase
from clary.records.record import Record
from clary.services.sagemaker.instances.outputs import with_destinations
from clary.services.sagemaker.instances.watching import release, status_of
from clary.services.sagemaker.jobs.attempts import INTERNAL, earlier_ids, instance_ids

PHASES: tuple[Phase, ...] = get_args(Phase)
SORRY = "We encountered an internal error. Please try again. "
NOT_STARTED = InstanceStatus(phase="Done", outcome="Stopped")
"""Of an instance of a job that was stopped before it came to be."""


@dataclass(frozen=True)
class Gang:
    house: House
    ids: Sequence[str] = field(default_factory=list)
    earlier: Iterable[str] = ()
    """The instances of attempts before, which are released before new ones start."""

    @classmethod
    def of(cls, house: House, record: Record, size: int) -> "Gang":
        return cls(house, instance_ids(record, size), earlier_ids(record, size))

    def attend(self, specs: Callable[[], Sequence[InstanceSpec]], *, stopping: bool) -> InstanceStatus:
        """Start what was not started, or stop what runs where the job is `stopping`; returns where the gang stands.

        `specs` is asked only where something has to be started. An instance that is being stopped is told so again,
        which does no harm.
        """
        statuses: dict[str, InstanceStatus | None] = {
            instance_id: status_of(self.house, instance_id) for instance_id in self.ids
        }
        if None in statuses.values() and not stopping:
            self._release(self.earlier)
            self.house.engine.start(with_destinations(self.house, specs()))
            statuses = {instance_id: self.house.engine.poll(instance_id) for instance_id in self.ids}
        found = {instance_id: status or NOT_STARTED for instance_id, status in statuses.items()}
        if stopping or any(_ends_all(status) for status in found.values()):
            for instance_id, status in found.items():
                if status.phase != "Done":
                    self.house.engine.stop(instance_id)
        return together(list(found.values()))

    def release(self) -> None:
        self._release([*self.earlier, *self.ids])

    def _release(self, ids: Iterable[str]) -> None:
        for instance_id in ids:
            release(self.house, instance_id)


def together(statuses: Sequence[InstanceStatus]) -> InstanceStatus:
    """The status of a gang whose instances have these."""
    phase = min((status.phase for status in statuses), key=PHASES.index)
    entered: dict[str, float] = {
        each: max(status.entered[each] for status in statuses)
        for each in PHASES
        if all(each in status.entered for status in statuses)
    }
    image = next((status.image for status in statuses if status.image), "")
    if phase != "Done":
        return InstanceStatus(phase, entered, image=image)
    number, first = min(enumerate(statuses, 1), key=lambda numbered: _ended(numbered[1]))
    message = "".join(status.message for status in statuses)
    # A gang for which there is no room was refused as a whole.
    never_ran = "Pending" in first.entered and "Starting" not in first.entered
    host = f"algo-{number}: " if len(statuses) > 1 and not never_ran else ""
    reason = _told(first.reason, host) if first.reason else ""
    return InstanceStatus(phase, entered, first.outcome, first.exit_code, reason, message, image, lost=first.lost)


def _told(reason: str, host: str) -> str:
    """`AlgorithmError: text` → `AlgorithmError: algo-2: text`, of which the end is kept where it becomes too long. An
    internal error begins with AWS's own words, which clients look for."""
    kind, colon, text = reason.partition(": ")
    if not colon or " " in kind:
        kind, colon, text = "", "", reason
    head = kind + colon + (SORRY if kind == INTERNAL else "") + host
    return head + text[-(REASON_LIMIT - len(head)) :]


def _ends_all(status: InstanceStatus) -> bool:
    return status.phase == "Done" and status.outcome != "Completed"


def _ended(status: InstanceStatus) -> tuple[bool, bool, float]:
    """What went wrong comes before what went well; of several, a loss, which may be noticed after its peers have failed
    of it; else the first in time."""
    return (status.outcome == "Completed", not status.lost, status.entered.get("Done", 0.0))
