"""One replica of an endpoint: started, looked at, replaced where it is lost, stopped and released.

    listed ─ poll: started ─▶ Pending ─▶ Running ─ /ping ─▶ healthy ─▶ Retiring ─ LINGER ─▶ stopped ─▶ released

The functions read and write no document but where they say so; what they see goes into `Observations`.
"""

import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from clary.control.house import House
from clary.engines.line import NO_CAPACITY
from clary.instance.meter import EVERY
from clary.instance.spec import InstanceStatus
from clary.records.record import Record
from clary.routing.health import answers_ping
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.deployment import instances_of, variant_of
from clary.services.sagemaker.hosting.instance import GRACE, replica_instances
from clary.services.sagemaker.hosting.kinds import COMPONENT, ENDPOINT
from clary.services.sagemaker.hosting.metrics import utilisation
from clary.services.sagemaker.instances.watching import release, ship_logs, status_of

ALONE = "primary"
"""What AWS calls a model's only container."""
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
    measured: dict[str, float] = field(default_factory=dict)
    """By replica, when what was last kept of its use of the machine was measured."""
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
        self.measured.pop(instance_id, None)
        self.silent_since.pop(instance_id, None)


def log_group(record: Record) -> str:
    family = "InferenceComponents" if record.kind == COMPONENT.name else "Endpoints"
    return f"/aws/sagemaker/{family}/{record.name}"


def look_at(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> str | None:
    """Why the replica is lost; None where it is not. Raises `JobError` where another would fare no better."""
    replica_id = replica["Id"]
    statuses = _poll(house, record, replica)
    _ship(house, record, replica, observed)
    _measure(house, record, replica, statuses, observed)
    observed.waiting.discard(replica_id)
    if any(status.phase == "Pending" for status in statuses):
        observed.waiting.add(replica_id)
    if ended := next((status for status in statuses if status.phase == "Done"), None):
        if ended.reason == NO_CAPACITY:
            raise JobError(ended.reason)
        return None if replica_id in observed.unread else ended.reason
    if any(status.phase != "Running" for status in statuses):
        return None
    mute = next((name or ALONE for each, name in instances_of(replica).items() if not _answers(house, each)), None)
    if mute is None:
        observed.healthy.add(replica_id)
        observed.silent_since.pop(replica_id, None)
        return None
    now = time.time()
    silent = now - observed.silent_since.setdefault(replica_id, now)
    if replica["Serving"]:
        return no_ping(replica, mute) if silent > LONGEST_SILENCE else None
    if silent > _startup_timeout(record, replica):
        raise JobError(no_ping(replica, mute))
    return None


def _answers(house: House, instance_id: str) -> bool:
    return answers_ping(house.engine.address(instance_id))


def has_left(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> bool:
    """Whether a retired replica is released, which it is when it ended or has had its time."""
    replica_id, instances = replica["Id"], instances_of(replica)
    statuses = [status for each in instances if (status := status_of(house, each))]
    if not statuses:
        return True
    _ship(house, record, replica, observed)
    retired = time.time() - replica["Retired"]
    ended = all(status.phase == "Done" for status in statuses)
    if (ended and replica_id not in observed.unread) or retired > LINGER + GRACE:
        release_replica(house, replica)
        return True
    if retired > LINGER and replica_id not in observed.stopped:
        for instance_id in instances:
            with suppress(KeyError):
                house.engine.stop(instance_id)
        observed.stopped.add(replica_id)
    return False


def release_replica(house: House, replica: dict[str, Any]) -> None:
    for instance_id in instances_of(replica):
        release(house, instance_id)


def no_ping(replica: dict[str, Any], container: str = ALONE) -> str:
    return (
        f"The {container} container for production variant {replica['Variant']} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def _poll(house: House, record: Record, replica: dict[str, Any]) -> list[InstanceStatus]:
    """Where the replica's instances stand; starts them where it was only listed so far."""
    statuses = [status_of(house, instance_id) for instance_id in instances_of(replica)]
    if None in statuses:
        variant, model = variant_of(record.document, replica)
        house.engine.start(replica_instances(house, record, replica, variant, model))
    return [status or InstanceStatus() for status in statuses]


def _ship(house: House, record: Record, replica: dict[str, Any], observed: Observations) -> None:
    """The streams of several containers are told apart by the containers' hostnames."""
    for instance_id, container in instances_of(replica).items():
        stream = "/".join(filter(None, (replica["Variant"], replica["Id"], container)))
        # It may have been released already, when a crash kept the others from it.
        with suppress(KeyError):
            if ship_logs(house, record.scope, log_group(record), stream, instance_id).more:
                observed.unread.add(replica["Id"])


def _measure(
    house: House, record: Record, replica: dict[str, Any], statuses: list[InstanceStatus], observed: Observations
) -> None:
    """Keep what the replica's instances last told of their use of the machine, where that is news."""
    told = [status.usage for status in statuses if status.usage]
    at = max((usage["at"] for usage in told), default=0.0)
    if at > observed.measured.get(replica["Id"], time.time() - EVERY) and record.kind == ENDPOINT.name:
        observed.measured[replica["Id"]] = at
        house.metrics.put(record.scope, utilisation(record.name, replica["Variant"], at, told))


def _startup_timeout(record: Record, replica: dict[str, Any]) -> float:
    variant, _ = variant_of(record.document, replica)
    return float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT))
