"""Topics as those who take messages of other services, and what becomes of a message that is published."""

import logging
import time
from functools import partial
from typing import Any
from uuid import uuid4

from clary.control.destinations import NoDestination
from clary.control.house import House
from clary.messages import outbox
from clary.records.record import Record
from clary.services.sns.filters import fits
from clary.services.sns.notification import Notification
from clary.services.sns.topics import CONFIRMED, DIRECT, SUBSCRIPTION, document, subscriptions_of, topic_at
from clary.services.sqs.destination import Queues, denies

log = logging.getLogger(__name__)


class Topics:
    def __init__(self, house: House) -> None:
        self._house = house

    def accepts(self, arn: str, source: str) -> bool:
        topic = topic_at(self._house, arn)
        return topic is not None and not denies(topic, "sns:Publish", source)

    def deliver(self, arn: str, message: str, subject: str = "") -> None:
        topic = topic_at(self._house, arn)
        if topic is None:
            raise NoDestination(f"there is no topic {arn}")
        spread(self._house, topic, {"default": message}, subject, {})


def spread(
    house: House, topic: Record, texts: dict[str, str], subject: str, attributes: dict[str, dict[str, Any]]
) -> str:
    """Give a message to all subscriptions that it is for; its id. `texts` are by protocol, with a `default`."""
    message, now = str(uuid4()), time.time()
    with house.records.together():
        for subscription in subscriptions_of(house, topic):
            if not fits(document(subscription, "FilterPolicy"), attributes):
                continue
            text = texts.get(subscription.document["Protocol"], texts["default"])
            notification = Notification(message, topic.arn, text, subject, attributes, now)
            if subscription.state == DIRECT:
                _put(house, subscription, notification)
            elif subscription.state == CONFIRMED:
                _post(house, subscription, notification)
    return message


def _put(house: House, subscription: Record, notification: Notification) -> None:
    raw = is_raw(subscription)
    text = notification.text if raw else notification.enveloped(house.settings.url, subscription)
    try:
        Queues(house).put(subscription.document["Endpoint"], text, notification.attributes if raw else {})
    except NoDestination as error:
        log.warning("subscription %s: a message is lost: %s", subscription.arn, error)


def _post(house: House, subscription: Record, notification: Notification) -> None:
    raw = is_raw(subscription)
    text = notification.text if raw else notification.enveloped(house.settings.url, subscription)
    content = {"Type": "Notification", "MessageId": notification.id, "Body": text, "Raw": raw}
    house.messages.change(partial(outbox.post, recipient=subscription.id, content=content, now=notification.at))
    house.supervisor.wake(SUBSCRIPTION, subscription.id)


def is_raw(subscription: Record) -> bool:
    return bool(subscription.document.get("RawMessageDelivery") == "true")
