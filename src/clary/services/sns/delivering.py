"""Delivers what the outbox holds for an HTTP subscription, until it is taken or given up.

    step: due parcels ─▶ POST ─ 2xx ─▶ settled
                              ├ 5xx, 429, no answer ─▶ put off by the delivery policy, at last to the dead letters
                              └ another 4xx ─▶ to the dead letters at once

A kill between an answer and its row's end has the message delivered twice, never not at all.
"""

import logging
import threading
import time
from functools import partial
from typing import Any, NamedTuple

from clary.control.destinations import NoDestination, publish
from clary.control.house import House
from clary.messages import outbox
from clary.messages.outbox import Parcel
from clary.records.errors import NotFound
from clary.records.record import Record
from clary.services.sns.retrying import pause_after
from clary.services.sns.subscriptions import TOKEN_HOLDS
from clary.services.sns.topics import PENDING, SUBSCRIPTION, document

log = logging.getLogger(__name__)

PATIENCE = 15.0
"""Seconds that an endpoint has to answer, as the developer guide says."""
AT_ONCE = 20
"""Parcels of one step: others may have their turn in between."""
MOST_STEPS = 4
"""That deliver at once: endpoints that let others wait must not hold all of the supervisor's workers."""
BUSY = 0.5
"""Seconds until a subscription asks again that had to stand back."""
_AGENT = "Amazon Simple Notification Service Agent"


class SubscriptionReconciler:
    kind = SUBSCRIPTION

    def __init__(self, house: House) -> None:
        self._house = house
        self._turns = threading.Semaphore(MOST_STEPS)

    def step(self, record_id: str) -> float | None:
        try:
            subscription = self._house.records.load(record_id)
        except NotFound:
            return None
        if subscription.state == PENDING and subscription.created + TOKEN_HOLDS <= time.time():
            self._withdraw(subscription)
            return None
        if not self._turns.acquire(blocking=False):
            return BUSY
        try:
            self._deliver_due(subscription)
        finally:
            self._turns.release()
        due = self._house.messages.view(partial(outbox.next_due, recipient=record_id))
        return None if due is None else max(0.0, due - time.time())

    def _deliver_due(self, subscription: Record) -> None:
        due = partial(outbox.due, recipient=subscription.id, now=time.time(), most=AT_ONCE)
        for parcel in self._house.messages.view(due):
            if not self._deliver(subscription, parcel):
                return  # whoever comes next may be quicker

    def _withdraw(self, subscription: Record) -> None:
        with self._house.records.together():
            self._house.records.delete(subscription)
            self._house.messages.change(partial(outbox.forget, recipient=subscription.id))

    def _deliver(self, subscription: Record, parcel: Parcel) -> bool:
        """Whether the endpoint answered."""
        failure = post(subscription, parcel)
        pause: float | None = None
        if failure and failure.passes:
            pause = pause_after(document(subscription, "DeliveryPolicy"), parcel.tries + 1)
        if failure and pause is not None:
            until = time.time() + pause
            self._house.messages.change(partial(outbox.put_off, parcel=parcel, until=until))
            return failure.answered
        with self._house.records.together():
            if failure:
                self._give_up(subscription, parcel, failure)
            self._house.messages.change(partial(outbox.settle, parcel=parcel))
        return failure is None or failure.answered

    def _give_up(self, subscription: Record, parcel: Parcel, failure: "Failure") -> None:
        dead = document(subscription, "RedrivePolicy").get("deadLetterTargetArn")
        where = subscription.document["Endpoint"]
        log.warning("%s does not take message %s: %s", where, parcel.content["MessageId"], failure.reason)
        if dead and parcel.content["Type"] == "Notification":
            try:
                publish(self._house, dead, parcel.content["Body"])
            except NoDestination as error:
                log.warning("message %s is lost: %s", parcel.content["MessageId"], error)


class Failure(NamedTuple):
    reason: str
    passes: bool
    answered: bool = True


def post(subscription: Record, parcel: Parcel) -> Failure | None:
    """None where the endpoint has taken it."""
    import urllib3  # of use here alone, and slow to import

    url = subscription.document["Endpoint"]
    try:
        answer = urllib3.request(
            "POST",
            url,
            body=parcel.content["Body"].encode(),
            headers=_headers(subscription, parcel.content),
            timeout=PATIENCE,
            retries=False,
            redirect=False,
        )
    except urllib3.exceptions.HTTPError as error:
        return Failure(str(error), passes=True, answered=False)
    if 200 <= answer.status < 300:
        return None
    return Failure(f"it answers {answer.status}", passes=answer.status == 429 or not 400 <= answer.status < 500)


def _headers(subscription: Record, content: dict[str, Any]) -> dict[str, str]:
    headers = {
        "x-amz-sns-message-type": content["Type"],
        "x-amz-sns-message-id": content["MessageId"],
        "x-amz-sns-topic-arn": subscription.document["TopicArn"],
        "content-type": "text/plain; charset=UTF-8",
        "user-agent": _AGENT,
    }
    if content["Type"] == "Notification":
        headers["x-amz-sns-subscription-arn"] = subscription.arn
    if content.get("Raw"):
        headers["x-amz-sns-rawdelivery"] = "true"
    return headers
