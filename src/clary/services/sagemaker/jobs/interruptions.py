"""Managed spot training: a job whose instances are taken away, and that starts again from its checkpoint.

    Training ─▶ Interrupted: its gang is stopped, as by a user ─▶ Starting: the next attempt (attempts.py)
    longer than MaxWaitTimeInSeconds since it was created ─▶ Stopping ─▶ MaxWaitTimeExceeded

Here nobody takes instances away but an operator who wants to see what becomes of a job (`clary interrupt`).
"""

import math
import time
from typing import Any

from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.record import KINDS, Record
from clary.services.sagemaker.jobs.course import Course

OVERDUE = "Overdue"
"""Of a job's document: whether it was stopped because it took too long. No shape of the API has it."""
WAITED_TOO_LONG = "The training job exceeded MaxWaitTimeInSeconds."


def interrupt(house: House, course: Course, record: Record) -> None:
    """Raises `IllegalTransition` and `Stale`."""
    assert course.interrupted
    house.records.transition(record, course.interrupted, message=course.messages[course.interrupted])
    house.supervisor.wake(KINDS[record.kind], record.id)


def time_left(record: Record) -> float:
    """Seconds for which a job may still wait and run."""
    if not is_spot(record.document):
        return math.inf
    longest: float = record.document["StoppingCondition"]["MaxWaitTimeInSeconds"]
    return record.created + longest - time.time()


def is_spot(document: dict[str, Any]) -> bool:
    return bool(document.get("EnableManagedSpotTraining"))


def is_interrupted(course: Course, record: Record, status: InstanceStatus) -> bool:
    """Whether its gang ended because of that, and not by itself just before."""
    return record.state == course.interrupted and (status.outcome == "Stopped" or status.lost)
