"""How an endpoint comes into service and stays there.

    Creating → InService ⇄ Updating, Deleting; Creating → Failed

Each step lists the replicas that are wanted (before it starts them, so that none is forgotten by a crash), looks at
every one, replaces those that are lost, publishes the healthy ones to the router and only then stops those that are
no longer wanted, which finish what they are answering. An update takes a new deployment in by stages (`stages.py`)
beside the old one, which serves and is replaced meanwhile; where the new cannot come up or an alarm rings, the endpoint
goes back to what it had. What serves is never given up: only a deployment on trial is.
"""

import logging
import time
from functools import partial
from typing import Any

from clary.control.house import House
from clary.messages.queue import drop
from clary.records.errors import NotFound
from clary.records.record import Kind, Record
from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.hosting.deployment import retire_others
from clary.services.sagemaker.hosting.guarding import guard
from clary.services.sagemaker.hosting.kinds import DELETING, ENDPOINT, FAILED, route_of
from clary.services.sagemaker.hosting.publishing import publish
from clary.services.sagemaker.hosting.replicas import Observations, has_left, look_at, no_ping, release_replica
from clary.services.sagemaker.hosting.rollout import conclude, give_up, is_on_trial, is_whole, keep, staff
from clary.services.sagemaker.hosting.serverless import arouse, sleeps, sleeps_in
from clary.services.sagemaker.hosting.stages import due

log = logging.getLogger(__name__)

WHILE_STARTING = 0.1
WHILE_SERVING = 5.0
"""Seconds between health checks; the second is what AWS documents."""
ATTEMPTS = 3
"""Crashes of a deployment that was never healthy, after which it is given up."""


class EndpointReconciler:
    kind: Kind = ENDPOINT

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
            record = self.admit(record)
            record = arouse(self._house, record)
            record = staff(self._house, record, observed)
            for replica in record.document["Replicas"]:
                record = self._attend(record, replica, observed)
            guard(self._house, record)
        except JobError as error:
            record = give_up(self._house, record, str(error), observed)
        if record.state == FAILED:
            self._close(record)
            return None
        record = conclude(self._house, record, observed)
        publish(self._house, record, observed)
        record = self._dismiss(record, observed)
        return self._delay(record, observed)

    def admit(self, record: Record) -> Record:
        """Raises `JobError` where there is no room for what the record asks for. Endpoints ask the engine alone."""
        return record

    def _attend(self, record: Record, replica: dict[str, Any], observed: Observations) -> Record:
        """Look at a replica and replace it where it is lost; raises `JobError` to give its deployment up."""
        on_trial = is_on_trial(record, replica["Deployment"])
        try:
            lost = look_at(self._house, record, replica, observed)
        except JobError as error:
            if on_trial:
                raise
            lost = str(error)
        if lost is None:
            return record
        if on_trial and observed.crashes[replica["Deployment"]] + 1 >= ATTEMPTS:
            raise JobError(f"{no_ping(replica)} {lost}".strip())
        log.warning("endpoint %s: replica %s is replaced. %s", record.name, replica["Id"], lost)
        return self._replace(record, replica, observed)

    def _replace(self, record: Record, replica: dict[str, Any], observed: Observations) -> Record:
        """Retire a lost replica; a later step starts another in its place."""
        observed.lost(replica)
        remaining = [other for other in record.document["Replicas"] if other["Id"] != replica["Id"]]
        return keep(self._house, record, retire_others(record.document, remaining))

    def _dismiss(self, record: Record, observed: Observations) -> Record:
        """Stop the retired replicas, which the router no longer lists, and forget those that have ended."""
        retiring = record.document["Retiring"]
        gone = {replica["Id"] for replica in retiring if has_left(self._house, record, replica, observed)}
        for instance_id in gone:
            observed.forget(instance_id)
        remaining = [replica for replica in retiring if replica["Id"] not in gone]
        return keep(self._house, record, {**record.document, "Retiring": remaining})

    def _close(self, record: Record) -> None:
        """Stop serving. An endpoint that is deleted goes when its replicas have gone."""
        self._house.router.withdraw(record.scope, route_of(record), record.id)
        for replica in record.document["Replicas"] + record.document["Retiring"]:
            release_replica(self._house, replica)
        self._observed.pop(record.id, None)
        if record.state == DELETING:
            with self._house.records.together():
                self._house.records.delete(record)
                # Of an asynchronous endpoint: requests that nobody will answer now.
                self._house.messages.change(partial(drop, queue=record.id))

    def _delay(self, record: Record, observed: Observations) -> float | None:
        if observed.unread:
            return 0.0
        if sleeps(record):
            return None
        at_rest = not record.document["Retiring"] and is_whole(record.document, observed.healthy | observed.waiting)
        soon = min(max(0.0, due(record.document) - time.time()), sleeps_in(self._house, record))
        return min(WHILE_SERVING if at_rest else WHILE_STARTING, soon)
