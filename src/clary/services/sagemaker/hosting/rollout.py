"""Deployments of an endpoint: staffed, taken into service, given up, published to the router.

    staff ─▶ (each replica is looked at) ─▶ conclude ─▶ publish        give_up, where the one on trial cannot come up

Each takes a record and returns what it is afterwards.
"""

import time
from typing import Any

from clary.control.house import House
from clary.records.record import Record
from clary.routing.routes import Container, Route, Target, Variant
from clary.services.sagemaker.hosting.deployment import (
    allot_replicas,
    deployments_of,
    is_whole,
    note_serving,
    replicas_of,
    retire_others,
)
from clary.services.sagemaker.hosting.kinds import CREATING, FAILED, IN_SERVICE
from clary.services.sagemaker.hosting.replicas import Observations


def keep(house: House, record: Record, document: dict[str, Any]) -> Record:
    """The record with that document, written where it changed."""
    return record if document == record.document else house.records.update(record, document)


def staff(house: House, record: Record, observed: Observations) -> Record:
    """List the replicas that are wanted, unless a deployment has to wait after crashes."""
    document = record.document
    for deployment in deployments_of(document):
        allotted = allot_replicas(document, record.id, deployment)
        adds = allotted["Serial"] > document["Serial"]
        if not adds or time.time() >= observed.not_before.get(deployment["Number"], 0.0):
            document = allotted
    return keep(house, record, document)


def conclude(house: House, record: Record, observed: Observations) -> Record:
    """Take the endpoint into service once the whole deployment is healthy."""
    document = note_serving(record.document, observed.healthy)
    if not is_whole(document, observed.healthy):
        return keep(house, record, document)
    observed.crashes.clear()
    if record.state == IN_SERVICE:
        return keep(house, record, document)
    document = retire_others(document, replicas_of(document, document["Deployment"]["Number"]))
    document.pop("Previous", None)
    return house.records.transition(record, IN_SERVICE, document=document)


def give_up(house: House, record: Record, reason: str, observed: Observations) -> Record:
    """Fail a new endpoint; take one that is being updated back to the deployment that it had."""
    document = {**record.document, "FailureReason": reason[:1024]}
    if record.state == CREATING:
        return house.records.transition(record, FAILED, document=document, message=reason)
    if "Previous" in document:
        previous = document.pop("Previous")
        # The number of the failed deployment is not used again: replicas are told apart by it.
        deployment = {**previous, "Number": document["Deployment"]["Number"] + 1}
        replicas = [{**r, "Deployment": deployment["Number"]} for r in replicas_of(document, previous["Number"])]
        document = {**retire_others(document, replicas), "Deployment": deployment}
    observed.crashes.clear()
    return house.records.transition(record, IN_SERVICE, document=document)


def publish(house: House, record: Record, observed: Observations) -> None:
    """Tell the router of the healthy replicas of the deployment that serves."""
    serving = record.document.get("Previous") or record.document["Deployment"]
    if record.state == CREATING:
        return
    healthy = [r for r in replicas_of(record.document, serving["Number"]) if r["Id"] in observed.healthy]
    variants = tuple(
        Variant(
            variant["VariantName"],
            variant["DesiredWeight"],
            tuple(
                Target(replica["Id"], (Container(house.engine.address(replica["Id"])),))
                for replica in healthy
                if replica["Variant"] == variant["VariantName"]
            ),
            waiting=house.settings.invocations_waiting,
            timeout=house.settings.invocation_timeout,
        )
        for variant in serving["Variants"]
    )
    house.router.publish(record.scope, record.name, Route(variants, owner=record.id))
