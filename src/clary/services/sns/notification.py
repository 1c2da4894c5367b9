"""What subscribers get: the JSON that SNS puts around a message, or the message as it is.

Source: "HTTP/HTTPS notification JSON format" and "… subscription confirmation JSON format" of the developer guide.
"""

import time
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson

from clary.records.record import Record

Attributes = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Notification:
    """A message on its way to one kind of subscribers."""

    id: str
    topic: str
    text: str
    subject: str = ""
    attributes: Attributes = field(default_factory=dict)
    """As `services/sqs/contents.py` keeps them."""
    at: float = field(default_factory=time.time)

    def enveloped(self, url: str, subscription: Record) -> str:
        """`url` is the platform's, as far as subscribers may reach it."""
        written: dict[str, Any] = {"Type": "Notification", "MessageId": self.id, "TopicArn": self.topic}
        if self.subject:
            written["Subject"] = self.subject
        written |= {"Message": self.text, "Timestamp": _timestamp(self.at)}
        written["UnsubscribeURL"] = _link(url, Action="Unsubscribe", SubscriptionArn=subscription.arn)
        if self.attributes:
            written["MessageAttributes"] = {
                name: {"Type": each["DataType"], "Value": each.get("StringValue", each.get("BinaryValue"))}
                for name, each in self.attributes.items()
            }
        return _text(written)


def confirmation(url: str, topic: str, message: str, token: str) -> str:
    invitation = (
        f"You have chosen to subscribe to the topic {topic}.\n"
        "To confirm the subscription, visit the SubscribeURL included in this message."
    )
    written = {
        "Type": "SubscriptionConfirmation",
        "MessageId": message,
        "Token": token,
        "TopicArn": topic,
        "Message": invitation,
        "SubscribeURL": _link(url, Action="ConfirmSubscription", TopicArn=topic, Token=token),
        "Timestamp": _timestamp(time.time()),
    }
    return _text(written)


def kept_attributes(given: Attributes) -> Attributes:
    return {
        name: {**each, "BinaryValue": b64encode(each["BinaryValue"]).decode()} if "BinaryValue" in each else each
        for name, each in given.items()
    }


def _link(url: str, **parameters: str) -> str:
    return f"{url}/?{urlencode(parameters)}"


def _timestamp(at: float) -> str:
    return time.strftime(f"%Y-%m-%dT%H:%M:%S.{int(at * 1000) % 1000:03}Z", time.gmtime(at))


def _text(written: dict[str, Any]) -> str:
    return orjson.dumps(written, option=orjson.OPT_INDENT_2).decode()
