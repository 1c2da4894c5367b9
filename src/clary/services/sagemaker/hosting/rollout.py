"""Deployments of an endpoint: staffed, taken into service, given up.

    staff ─▶ (each replica is looked at) ─▶ conclude        give_up, where the one on trial cannot come up

Each takes a record and returns what it is afterwards; which stage an update is in is decided in `stages.py`, what stops
it in `guarding.py`, and `publishing.py` tells the router.
"""

import time
from typing import Any

from clary.control.house import House
from clary.records.record import Record
from clary.services.sagemaker.hosting.deployment import allot_replicas, deployments_of, note_serving
from clary.services.sagemaker.hosting.kinds import CREATING, FAILED, IN_SERVICE
from clary.services.sagemaker.hosting.replicas import Observations
from clary.services.sagemaker.hosting.stages import advance, is_staffed, turn_back, wanted
from clary.services.sagemaker.lineage.tracking import draw_deployment


def keep(house: House, record: Record, document: dict[str, Any]) -> Record:
    """The record with that document, written where it changed."""
    return record if document == record.document else house.records.update(record, document)


def staff(house: House, record: Record, observed: Observations) -> Record:
    """List the replicas that are wanted, unless a deployment has to wait after crashes."""
    document = record.document
    for deployment in deployments_of(document):
        allotted = allot_replicas(document, record.id, deployment, wanted(document, deployment))
        adds = allotted["Serial"] > document["Serial"]
        if not adds or time.time() >= observed.not_before.get(deployment["Number"], 0.0):
            document = allotted
    return keep(house, record, document)


def is_on_trial(record: Record, deployment_number: int) -> bool:
    """Whether a deployment may be given up: it is new. One that is taken back in has served, and is tried for ever."""
    document = record.document
    current = deployment_number == document["Deployment"]["Number"]
    return record.state != IN_SERVICE and current and "Failure" not in document.get("Rollout", {})


def conclude(house: House, record: Record, observed: Observations) -> Record:
    """Take the endpoint into service once the whole deployment is healthy and no longer on trial."""
    document = advance(note_serving(record.document, observed.healthy), observed.healthy, time.time())
    if is_whole(document, observed.healthy):
        observed.crashes.clear()
    if record.state == IN_SERVICE or "Rollout" in document or not is_whole(document, observed.healthy):
        return keep(house, record, document)
    document.pop("Before", None)
    with house.records.together():
        draw_deployment(house, record, document["Deployment"])
        return house.records.transition(record, IN_SERVICE, document=document)


def is_whole(document: dict[str, Any], healthy: set[str]) -> bool:
    return all(is_staffed(document, deployment, healthy) for deployment in deployments_of(document))


def give_up(house: House, record: Record, reason: str, observed: Observations) -> Record:
    """Fail a new endpoint; take one that is being updated back to what it had."""
    document = {**record.document, "FailureReason": reason[:1024]}
    observed.crashes.clear()
    if record.state == CREATING:
        return house.records.transition(record, FAILED, document=document, message=reason)
    if "Previous" in document:
        return keep(house, record, turn_back(record.document, reason, time.time()))
    before = document.pop("Before", None)
    if before is not None:
        document["Deployment"] = {**document["Deployment"], "Variants": before}
    return house.records.transition(record, IN_SERVICE, document=document)
