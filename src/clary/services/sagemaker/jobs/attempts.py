"""A job that is tried again, because what failed was not its own.

    Training ─▶ an instance is lost ─▶ Restarting (the document counts the attempt) ─▶ Training
                                            └ none left, or none asked for ─▶ Failed: InternalServerError

Every attempt has instances of its own, so that nothing that an earlier one left is taken for a later one's, and log
streams of its own. The document keeps the count, in the passage that begins the attempt.
"""

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from clary.instance.spec import InstanceStatus, Phase
from clary.records.record import Record

MEMBER = "Attempt"
"""Of a job's document; no shape of the API has it, so that it is never answered."""
INTERNAL = "InternalServerError"
"""What AWS names: what went wrong lies with the platform or the machine."""


@dataclass(frozen=True, slots=True)
class Attempt:
    number: int = 0
    began: float = 0.0
    """Epoch seconds; no two of a job are of the same second, which is in the names of log streams."""
    spent: float = 0.0
    """Seconds that programs ran in the attempts before: `MaxRuntimeInSeconds` is the whole job's."""
    billed: float = 0.0
    """Seconds that instances were had in the attempts before."""

    @classmethod
    def of(cls, record: Record) -> "Attempt":
        kept = record.document.get(MEMBER)
        return cls(**kept) if kept else cls(began=record.created)

    def next(self, status: InstanceStatus, now: float) -> dict[str, Any]:
        """What the document keeps of the attempt that follows one which ended with `status`."""
        began = max(now, math.floor(self.began) + 1.0)
        spent = self.spent + _since("Running", status)
        return {MEMBER: asdict(Attempt(self.number + 1, began, spent, self.billable(status)))}

    def billable(self, status: InstanceStatus) -> float:
        """Seconds that instances were had, up to the end of this attempt, which ended with `status`."""
        return self.billed + _since("Downloading", status)


def instance_id(record: Record, number: int) -> str:
    """The id of an instance, counted from 1, of the attempt that the record is at."""
    return _id(record, number, Attempt.of(record).number)


def instance_ids(record: Record, size: int) -> list[str]:
    return [instance_id(record, number) for number in range(1, size + 1)]


def earlier_ids(record: Record, size: int) -> Iterable[str]:
    """Of the instances of all attempts before."""
    attempts = range(Attempt.of(record).number)
    return [_id(record, number, attempt) for attempt in attempts for number in range(1, size + 1)]


def may_be_tried_again(record: Record, status: InstanceStatus) -> bool:
    """Whether its gang lost an instance, and the request's RetryStrategy leaves attempts for that. Other internal
    errors (no sandbox here, no `uv`) would be the same again."""
    retries = record.document.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0)
    return status.outcome == "Failed" and status.lost and Attempt.of(record).number < retries


def _id(record: Record, number: int, attempt: int) -> str:
    return f"{record.id}-{number}r{attempt}" if attempt else f"{record.id}-{number}"


def _since(phase: Phase, status: InstanceStatus) -> float:
    """Seconds from when a gang that has ended entered the phase; 0 where it never did."""
    ended = status.entered.get("Done", 0.0)
    return max(0.0, ended - status.entered.get(phase, ended))
