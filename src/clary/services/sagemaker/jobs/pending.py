"""A job that waits in the engine's line, in AWS's words.

Starting ─▶ Pending ─▶ Starting ─▶ …
               └ longer than MaxPendingTimeInSeconds, or than 28 days: Stopping ─▶ Stopped
"""

import re
import time
from typing import Any

from clary.control.reach import LONGEST_WAIT
from clary.instance.spec import InstanceStatus
from clary.records.record import Record, State
from clary.services.sagemaker.jobs.course import Course

ACCELERATED = re.compile(r"ml\.(p|g|trn)\d")
"""Instance types of the families for which AWS documents that MaxPendingTimeInSeconds takes effect."""
TOO_LONG = "The job was pending for longer than MaxPendingTimeInSeconds, which is 28 days at most."


def passage(course: Course, record: Record, status: InstanceStatus) -> tuple[State, float | None] | None:
    """The state to go over to, and since when, of a job whose gang came to stand in line or left it."""
    if course.pending is None or course.ends_gang(record.state):
        return None
    pending, starting = course.pending
    if status.phase == "Pending":
        return None if record.state == pending else (pending, status.entered["Pending"])
    # A gang that left the line without having run has ended.
    started = status.phase != "Done" or "Starting" in status.entered
    return (starting, status.entered.get("Starting")) if record.state == pending and started else None


def patience(document: dict[str, Any], status: InstanceStatus) -> float:
    """Seconds for which a job that waits may go on to."""
    return status.entered["Pending"] + _longest(document) - time.time()


def _longest(document: dict[str, Any]) -> float:
    longest: float = document.get("StoppingCondition", {}).get("MaxPendingTimeInSeconds", LONGEST_WAIT)
    resources = document.get("ResourceConfig", {})
    types = [group.get("InstanceType", "") for group in resources.get("InstanceGroups", [resources])]
    return longest if any(map(ACCELERATED.match, types)) else LONGEST_WAIT
