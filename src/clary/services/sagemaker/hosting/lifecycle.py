"""How an endpoint comes into service and stays there.

    Creating → InService ⇄ Updating, Deleting; Creating → Failed

Each step lists the replicas that are wanted (before it starts them, so that none is forgotten by a crash), looks at
every one, replaces those that are lost, publishes the healthy ones to the router and only then stops those that are
no longer wanted, which finish what they are answering. An update starts the new deployment's replicas beside the old
ones, which serve (and are replaced) until all the new are healthy; where those cannot come up, the endpoint goes back
to what it had. What serves is never given up: only a deployment on trial is.
"""

import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from clary.control.house import House
from clary.engines.line import NO_CAPACITY
from clary.instance.spec import InstanceStatus
from clary.records.errors import NotFound
from clary.records.record import Record
from clary.routing.health import answers_ping
from clary.routing.router import Target
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.deployment import (
    allot_replicas,
    deployments_of,
    is_whole,
    note_serving,
    replicas_of,
    retire_others,
    variant_of,
)
from clary.services.sagemaker.hosting.instance import GRACE, replica_instance
from clary.services.sagemaker.hosting.kinds import CREATING, DELETING, ENDPOINT, FAILED, IN_SERVICE
from clary.services.sagemaker.instances.watching import release, ship_logs, status_of

log = logging.getLogger(__name__)

WHILE_STARTING = 0.1
WHILE_SERVING = 5.0
"""Seconds between health checks; the second is what AWS documents."""
ATTEMPTS = 3
"""Crashes of a deployment that was never healthy, after which it is given up."""
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


def log_group(record: Record) -> str:
    return f"/aws/sagemaker/Endpoints/{record.name}"


class EndpointReconciler:
    kind = ENDPOINT

    def __init__(self, house: House) -> None:
        self._house = house
        self._observed: dict[str, Observations] = {}

    def step(self, record_id: str) -> float | None:
        try:
            record = self._house.records.load(record_id)
        except NotFound:
            return None
        if record.state in (DELETING, FAILED):
            self._close(record)
            return None
        observed = self._observed.setdefault(record_id, Observations())
        observed.unread.clear()
        try:
            record = self._staff(record, observed)
            for replica in record.document["Replicas"]:
                record = self._attend(record, replica, observed)
            record = self._conclude(record, observed)
        except JobError as error:
            record = self._give_up(record, str(error), observed)
        if record.state == FAILED:
            self._close(record)
            return None
        self._publish(record, observed)
        record = self._dismiss(record, observed)
        return _delay(record, observed)

    def _staff(self, record: Record, observed: Observations) -> Record:
        """List the replicas that are wanted, unless a deployment has to wait after crashes."""
        document = record.document
        for deployment in deployments_of(document):
            allotted = allot_replicas(document, record.id, deployment)
            adds = allotted["Serial"] > document["Serial"]
            if not adds or time.time() >= observed.not_before.get(deployment["Number"], 0.0):
                document = allotted
        return self._update(record, document)

    def _attend(self, record: Record, replica: dict[str, Any], observed: Observations) -> Record:
        """Look at a replica and replace it where it is lost; raises `JobError` to give its deployment up."""
        on_trial = record.state != IN_SERVICE and replica["Deployment"] == record.document["Deployment"]["Number"]
        try:
            lost = self._look_at(record, replica, observed)
        except JobError as error:
            if on_trial:
                raise
            lost = str(error)
        if lost is None:
            return record
        if on_trial and observed.crashes[replica["Deployment"]] + 1 >= ATTEMPTS:
            raise JobError(f"{_no_ping(replica)} {lost}".strip())
        log.warning("endpoint %s: replica %s is replaced. %s", record.name, replica["Id"], lost)
        return self._replace(record, replica, observed)

    def _look_at(self, record: Record, replica: dict[str, Any], observed: Observations) -> str | None:
        """Why the replica is lost; None where it is not. Raises `JobError` where another would fare no better."""
        instance_id = replica["Id"]
        status = self._poll(record, replica)
        self._ship(record, replica, observed)
        observed.waiting.discard(instance_id)
        if status.phase == "Pending":
            observed.waiting.add(instance_id)
        if status.phase == "Done":
            if status.reason == NO_CAPACITY:
                raise JobError(status.reason)
            return None if instance_id in observed.unread else status.reason
        if status.phase != "Running":
            return None
        if answers_ping(self._house.engine.address(instance_id)):
            observed.healthy.add(instance_id)
            observed.silent_since.pop(instance_id, None)
            return None
        now = time.time()
        silent = now - observed.silent_since.setdefault(instance_id, now)
        if replica["Serving"]:
            return _no_ping(replica) if silent > LONGEST_SILENCE else None
        if silent > _startup_timeout(record, replica):
            raise JobError(_no_ping(replica))
        return None

    def _poll(self, record: Record, replica: dict[str, Any]) -> InstanceStatus:
        """Where the replica's instance stands; starts it where it was only listed so far."""
        status = status_of(self._house, replica["Id"])
        if status is None:
            variant, model = variant_of(record.document, replica)
            self._house.engine.start([replica_instance(self._house, record, replica, variant, model)])
        return status or InstanceStatus()

    def _ship(self, record: Record, replica: dict[str, Any], observed: Observations) -> None:
        stream = f"{replica['Variant']}/{replica['Id']}"
        if ship_logs(self._house, record.scope, log_group(record), stream, replica["Id"]).more:
            observed.unread.add(replica["Id"])

    def _replace(self, record: Record, replica: dict[str, Any], observed: Observations) -> Record:
        """Retire a lost replica; a later step starts another in its place."""
        number = replica["Deployment"]
        observed.healthy.discard(replica["Id"])
        observed.waiting.discard(replica["Id"])
        observed.silent_since.pop(replica["Id"], None)
        observed.crashes[number] += 1
        pause = min(LONGEST_PAUSE, 0.1 * 2 ** min(observed.crashes[number], 10))
        observed.not_before[number] = time.time() + pause
        remaining = [other for other in record.document["Replicas"] if other["Id"] != replica["Id"]]
        return self._update(record, retire_others(record.document, remaining))

    def _conclude(self, record: Record, observed: Observations) -> Record:
        """Take the endpoint into service once the whole deployment is healthy."""
        document = note_serving(record.document, observed.healthy)
        if not is_whole(document, observed.healthy):
            return self._update(record, document)
        observed.crashes.clear()
        if record.state == IN_SERVICE:
            return self._update(record, document)
        document = retire_others(document, replicas_of(document, document["Deployment"]["Number"]))
        document.pop("Previous", None)
        return self._house.records.transition(record, IN_SERVICE, document=document)

    def _give_up(self, record: Record, reason: str, observed: Observations) -> Record:
        """Fail a new endpoint; take one that is being updated back to the deployment that it had."""
        document = {**record.document, "FailureReason": reason[:1024]}
        if record.state == CREATING:
            return self._house.records.transition(record, FAILED, document=document, message=reason)
        if "Previous" in document:
            previous = document.pop("Previous")
            # The number of the failed deployment is not used again: replicas are told apart by it.
            deployment = {**previous, "Number": document["Deployment"]["Number"] + 1}
            replicas = [{**r, "Deployment": deployment["Number"]} for r in replicas_of(document, previous["Number"])]
            document = {**retire_others(document, replicas), "Deployment": deployment}
        observed.crashes.clear()
        return self._house.records.transition(record, IN_SERVICE, document=document)

    def _dismiss(self, record: Record, observed: Observations) -> Record:
        """Stop the retired replicas, which the router no longer lists, and forget those that have ended."""
        gone = {replica["Id"] for replica in record.document["Retiring"] if self._has_left(record, replica, observed)}
        observed.healthy -= gone
        observed.waiting -= gone
        observed.stopped -= gone
        for instance_id in gone:
            observed.silent_since.pop(instance_id, None)
        remaining = [replica for replica in record.document["Retiring"] if replica["Id"] not in gone]
        return self._update(record, {**record.document, "Retiring": remaining})

    def _has_left(self, record: Record, replica: dict[str, Any], observed: Observations) -> bool:
        """Whether a retired replica is released, which it is when it ended or has had its time."""
        instance_id = replica["Id"]
        status = status_of(self._house, instance_id)
        if status is None:
            return True
        self._ship(record, replica, observed)
        retired = time.time() - replica["Retired"]
        if (status.phase == "Done" and instance_id not in observed.unread) or retired > LINGER + GRACE:
            release(self._house, instance_id)
            return True
        if retired > LINGER and instance_id not in observed.stopped:
            self._house.engine.stop(instance_id)
            observed.stopped.add(instance_id)
        return False

    def _close(self, record: Record) -> None:
        """Stop serving. An endpoint that is deleted goes when its replicas have gone."""
        self._house.router.withdraw(record.scope, record.name)
        for replica in record.document["Replicas"] + record.document["Retiring"]:
            release(self._house, replica["Id"])
        self._observed.pop(record.id, None)
        if record.state == DELETING:
            self._house.records.delete(record)

    def _update(self, record: Record, document: dict[str, Any]) -> Record:
        return record if document == record.document else self._house.records.update(record, document)

    def _publish(self, record: Record, observed: Observations) -> None:
        """Tell the router of the healthy replicas of the deployment that serves."""
        serving = record.document.get("Previous") or record.document["Deployment"]
        if record.state == CREATING:
            return
        healthy = [r for r in replicas_of(record.document, serving["Number"]) if r["Id"] in observed.healthy]
        variants = [
            (
                variant["VariantName"],
                variant["DesiredWeight"],
                [
                    Target(replica["Id"], self._house.engine.address(replica["Id"]))
                    for replica in healthy
                    if replica["Variant"] == variant["VariantName"]
                ],
            )
            for variant in serving["Variants"]
        ]
        self._house.router.publish(record.scope, record.name, variants)


def _delay(record: Record, observed: Observations) -> float:
    if observed.unread:
        return 0.0
    at_rest = not record.document["Retiring"] and is_whole(record.document, observed.healthy | observed.waiting)
    return WHILE_SERVING if at_rest else WHILE_STARTING


def _startup_timeout(record: Record, replica: dict[str, Any]) -> float:
    variant, _ = variant_of(record.document, replica)
    return float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT))


def _no_ping(replica: dict[str, Any]) -> str:
    return (
        f"The primary container for production variant {replica['Variant']} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
