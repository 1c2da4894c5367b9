"""What takes an update back that is under way: an alarm of its `AutoRollbackConfiguration`, or its time limit.

alarm's passage ─▶ wake_guarded ─▶ EndpointReconciler.step ─▶ guard ─▶ JobError ─▶ give_up
"""

import time
from typing import Any

from clary.control.house import House
from clary.records.query import Query
from clary.records.record import Record
from clary.services.cloudwatch.alarms.passage import WATCHERS, was_in_alarm
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.kinds import ENDPOINT, UPDATING
from clary.services.sagemaker.hosting.stages import plan_of

AT_ONCE = 1000
"""Endpoints of a region that may be updating at the same time and still hear of alarms at once; others within the
interval of health checks."""


def guard(house: House, record: Record) -> None:
    """Raises `JobError` for an update that an alarm forbids or that takes too long."""
    rollout = record.document.get("Rollout")
    if rollout is None or "Failure" in rollout:
        return
    for alarm in _alarms(record):
        if was_in_alarm(house, record.scope, alarm, rollout["Began"]):
            raise JobError(f"The deployment was rolled back: the alarm {alarm} is or was in ALARM state.")
    timeout = plan_of(rollout).timeout
    if time.time() > rollout["Began"] + timeout:
        raise JobError(f"The deployment was rolled back: it took longer than the {timeout} seconds that it may take.")


def wake_guarded(house: House, alarm: Record) -> None:
    """Have those endpoints looked at whose update this alarm guards."""
    updating = house.records.list(ENDPOINT, alarm.scope, Query(status=UPDATING.status, max_results=AT_ONCE))
    for record in updating.records:
        if alarm.name in _alarms(record):
            house.supervisor.wake(ENDPOINT, record.id)


WATCHERS.append(wake_guarded)


def _alarms(record: Record) -> list[str]:
    config: dict[str, Any] = record.document.get("Rollout", {}).get("Config", {})
    return [alarm["AlarmName"] for alarm in config.get("AutoRollbackConfiguration", {}).get("Alarms", [])]
