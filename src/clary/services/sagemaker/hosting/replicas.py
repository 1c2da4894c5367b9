"""One replica of an endpoint: started, looked at, replaced where it is lost, stopped and released.

    listed ─ poll: started ─▶ Pending ─▶ Running ─ /ping ─▶ healthy ─▶ Retiring ─ LINGER ─▶ stopped ─▶ released

The functions read and write no document but where they say so; what they see goes into `Observations`.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from clary.control.house import House
from clary.engines.line import NO_CAPACITY
from clary.instance.spec import InstanceStatus
from clary.records.record import Record
from clary.routing.health import answers_ping
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.deployment import variant_of
from clary.services.sagemaker.hosting.instance import GRACE, replica_instance
from clary.services.sagemaker.instances.watching import release, ship_logs, status_of

LONGEST_SILENCE = 30.0
"""Seconds without an answered health check, after which a serving replica is replaced."""
LONGEST_PAUSE = 30.0
STARTUP_TIMEOUT = 600.0
LINGER = 1.0
"""Seconds from when the router is told of a replica's leaving until its stop: requests on their way arrive."""


@dataclass(slots=True)
class Observations:
    """What was seen of an endpoint's replicas since the platform started; nothing that must outlive it."""

    healthy: set[str] = field(default_factory=set)
    silent_since: dict[str, float] = field(default_factory=dict)
    """Of running replicas: the first health check that was missed since the last that was answered."""
    stopped: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)
    """Instances for which there is no room yet; the engine hints when it is their turn."""
    unread: set[str] = field(default_factory=set)
    """Instances whose output may go on beyond the page that this step carried."""
    crashes: Counter[int] = field(default_factory=Counter)
    not_before: dict[int, float] = field(default_factory=dict)
    """By deployment: when its next replica may be started, after crashes."""

    def lost(self, replica: dict[str, Any]) -> None:
        """The replica is replaced; the more of its deployment were, the later."""
        number = replica["Deployment"]
        self.forget(replica["Id"])
        self.crashes[number] += 1
        self.not_before[number] = time.time() + min(LONGEST_PAUSE, 0.1 * 2 ** min(self.crashes[number], 10))

    def forget(self, instance_id: str) -> None:
        for seen in (self.healthy, self.waiting, self.stopped):
            seen.discard(instance_id)
        self.silent_since.pop(instance_id, None)


def log_group(record: Record) -> str:
    return f"/aws/sagemaker/Endpoints/{record.name}"


def look_at(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> str | None:
    """Why the replica is lost; None where it is not. Raises `JobError` where another would fare no better."""
    instance_id = replica["Id"]
    status = _poll(house, record, replica)
    _ship(house, record, replica, observed)
    observed.waiting.discard(instance_id)
    if status.phase == "Pending":
        observed.waiting.add(instance_id)
    if status.phase == "Done":
        if status.reason == NO_CAPACITY:
            raise JobError(status.reason)
        return None if instance_id in observed.unread else status.reason
    if status.phase != "Running":
        return None
    if answers_ping(house.engine.address(instance_id)):
        observed.healthy.add(instance_id)
        observed.silent_since.pop(instance_id, None)
        return None
    now = time.time()
    silent = now - observed.silent_since.setdefault(instance_id, now)
    if replica["Serving"]:
        return no_ping(replica) if silent > LONGEST_SILENCE else None
    if silent > _startup_timeout(record, replica):
        raise JobError(no_ping(replica))
    return None


def has_left(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> bool:
    """Whether a retired replica is released, which it is when it ended or has had its time."""
    instance_id = replica["Id"]
    status = status_of(house, instance_id)
    if status is None:
        return True
    _ship(house, record, replica, observed)
    retired = time.time() - replica["Retired"]
    if (status.phase == "Done" and instance_id not in observed.unread) or retired > LINGER + GRACE:
        release(house, instance_id)
        return True
    if retired > LINGER and instance_id not in observed.stopped:
        house.engine.stop(instance_id)
        observed.stopped.add(instance_id)
    return False


def no_ping(replica: dict[str, Any]) -> str:
    return (
        f"The primary container for production variant {replica['Variant']} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def _poll(house: House, record: Record, replica: dict[str, Any]) -> InstanceStatus:
    """Where the replica's instance stands; starts it where it was only listed so far."""
    status = status_of(house, replica["Id"])
    if status is None:
        variant, model = variant_of(record.document, replica)
        house.engine.start([replica_instance(house, record, replica, variant, model)])
    return status or InstanceStatus()


def _ship(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> None:
    stream = f"{replica['Variant']}/{replica['Id']}"
    if ship_logs(house, record.scope, log_group(record), stream, replica["Id"]).more:
        observed.unread.add(replica["Id"])


def _startup_timeout(record: Record, replica: dict[str, Any]) -> float:
    variant, _ = variant_of(record.document, replica)
    return float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT))
