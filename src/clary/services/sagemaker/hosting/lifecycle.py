"""How an endpoint comes into service and stays there.

    Creating → InService ⇄ Updating, Deleting; Creating → Failed

Each step lists the replicas that the deployment wants (before it starts them, so that none is forgotten by a
crash), looks at every one, replaces those that died and publishes the healthy ones to the router. An update
starts the new deployment's replicas beside the old ones, which serve until all the new are healthy; where those
cannot come up, the endpoint goes back to what it had.
"""

import time
from dataclasses import dataclass, field
from typing import Any

from clary.instance.spec import InstanceStatus
from clary.records.errors import NotFound
from clary.records.record import Record
from clary.routing.health import answers_ping
from clary.routing.router import Target
from clary.services.house import House
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.deployment import allot_replicas, replicas_of, variant_of
from clary.services.sagemaker.hosting.instance import replica_instance
from clary.services.sagemaker.hosting.kinds import CREATING, DELETING, ENDPOINT, FAILED, IN_SERVICE
from clary.services.sagemaker.instance_logs import ship_logs

WHILE_STARTING = 0.1
WHILE_SERVING = 5.0
"""Seconds between health checks; the second is what AWS documents."""
ATTEMPTS = 3
"""Crashes of a deployment that was never healthy, after which it is given up."""
MISSED_PINGS = 6
"""Health checks missed in a row after which a serving replica is replaced."""
LONGEST_PAUSE = 30.0
STARTUP_TIMEOUT = 600.0


@dataclass(slots=True)
class Observations:
    """What was seen of an endpoint's replicas since the platform started; nothing that must outlive it."""

    healthy: set[str] = field(default_factory=set)
    missed: dict[str, int] = field(default_factory=dict)
    crashes: int = 0
    not_before: float = 0.0
    """When the next replica may be started, after crashes."""


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
            self._retire(record)
            return None
        observed = self._observed.setdefault(record_id, Observations())
        try:
            record = self._staff(record, observed)
            for replica in record.document["Replicas"]:
                record = self._look_at(record, replica, observed)
        except JobError as error:
            return self._give_up(record, str(error))
        return self._conclude(record, observed)

    def _staff(self, record: Record, observed: Observations) -> Record:
        """List and start the replicas that are wanted; surplus ones of the current deployment go."""
        document = allot_replicas(record.document, record.id)
        if document["Serial"] > record.document["Serial"] and time.time() < observed.not_before:
            return record
        if document["Replicas"] != record.document["Replicas"]:
            dropped = _ids(record.document) - _ids(document)
            record = self._house.records.update(record, document)
            self._publish(record, observed)
            for instance_id in dropped:
                self._release(instance_id)
        for replica in record.document["Replicas"]:
            self._start(record, replica)
        return record

    def _start(self, record: Record, replica: dict[str, Any]) -> None:
        try:
            self._house.engine.poll(replica["Id"])
        except KeyError:
            variant, model = variant_of(record.document, replica)
            self._house.engine.start(replica_instance(self._house, record, replica, variant, model))

    def _look_at(self, record: Record, replica: dict[str, Any], observed: Observations) -> Record:
        instance_id = replica["Id"]
        status = self._house.engine.poll(instance_id)
        stream = f"{replica['Variant']}/{instance_id}"
        ship_logs(self._house, record.scope, log_group(record), stream, instance_id)
        if status.phase == "Done":
            return self._replace(record, replica, observed, status)
        if status.phase == "Running" and answers_ping(self._house.engine.address(instance_id)):
            observed.healthy.add(instance_id)
            observed.missed.pop(instance_id, None)
        elif instance_id in observed.healthy:
            observed.missed[instance_id] = observed.missed.get(instance_id, 0) + 1
            if observed.missed[instance_id] >= MISSED_PINGS:
                return self._replace(record, replica, observed, status)
        elif time.time() - replica["Started"] > _startup_timeout(record, replica):
            raise JobError(_no_ping(replica))
        return record

    def _replace(
        self, record: Record, replica: dict[str, Any], observed: Observations, status: InstanceStatus
    ) -> Record:
        """Take a dead replica off the list; the next step starts another in its place."""
        observed.healthy.discard(replica["Id"])
        observed.missed.pop(replica["Id"], None)
        observed.crashes += 1
        if observed.crashes >= ATTEMPTS and record.state != IN_SERVICE:
            raise JobError(f"{_no_ping(replica)} {status.reason}".strip())
        observed.not_before = time.time() + min(LONGEST_PAUSE, 0.1 * 2**observed.crashes)
        remaining = [other for other in record.document["Replicas"] if other["Id"] != replica["Id"]]
        record = self._house.records.update(record, {**record.document, "Replicas": remaining})
        self._publish(record, observed)
        self._release(replica["Id"])
        return record

    def _conclude(self, record: Record, observed: Observations) -> float:
        """Take the endpoint into service once the whole deployment is healthy; say when to look again."""
        deployment = record.document["Deployment"]
        wanted = sum(variant["DesiredInstanceCount"] for variant in deployment["Variants"])
        current = replicas_of(record.document, deployment["Number"])
        complete = len(current) == wanted and all(replica["Id"] in observed.healthy for replica in current)
        if complete and record.state != IN_SERVICE:
            record = self._into_service(record, {**record.document, "Replicas": current}, observed)
        self._publish(record, observed)
        if complete:
            observed.crashes = 0
        return WHILE_SERVING if complete else WHILE_STARTING

    def _into_service(self, record: Record, document: dict[str, Any], observed: Observations) -> Record:
        """Serve what `document` lists, then let the replicas go that it no longer does."""
        document.pop("Previous", None)
        dropped = _ids(record.document) - _ids(document)
        record = self._house.records.transition(record, IN_SERVICE, document=document)
        self._publish(record, observed)
        for instance_id in dropped:
            self._release(instance_id)
        return record

    def _give_up(self, record: Record, reason: str) -> float | None:
        """Fail a new endpoint; take an endpoint in service back to the deployment that it had."""
        if record.state == CREATING:
            failed = {**record.document, "FailureReason": reason[:1024]}
            self._retire(self._house.records.transition(record, FAILED, document=failed, message=reason))
            return None
        document = {**record.document, "FailureReason": reason[:1024]}
        if "Previous" in document:
            number = document["Previous"]["Number"]
            # The number of the failed deployment is not used again: replicas are told apart by it.
            deployment = {**document["Previous"], "Number": document["Deployment"]["Number"] + 1}
            replicas = [{**r, "Deployment": deployment["Number"]} for r in replicas_of(document, number)]
            document |= {"Deployment": deployment, "Replicas": replicas}
        observed = self._observed[record.id]
        observed.crashes = 0
        if record.state == IN_SERVICE:
            self._house.records.update(record, document)
        else:
            self._into_service(record, document, observed)
        return WHILE_SERVING

    def _retire(self, record: Record) -> None:
        """Stop serving. An endpoint that is deleted goes when its replicas have gone."""
        self._house.router.withdraw(record.scope, record.name)
        for replica in record.document["Replicas"]:
            self._release(replica["Id"])
        self._observed.pop(record.id, None)
        if record.state == DELETING:
            self._house.records.delete(record)

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

    def _release(self, instance_id: str) -> None:
        try:
            self._house.engine.release(instance_id)
        except KeyError:
            return


def _ids(document: dict[str, Any]) -> set[str]:
    return {replica["Id"] for replica in document["Replicas"]}


def _startup_timeout(record: Record, replica: dict[str, Any]) -> float:
    variant, _ = variant_of(record.document, replica)
    return float(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", STARTUP_TIMEOUT))


def _no_ping(replica: dict[str, Any]) -> str:
    return (
        f"The primary container for production variant {replica['Variant']} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
