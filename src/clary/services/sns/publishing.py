"""Publish, one message or several."""

from typing import Any

import orjson

from clary.control.call import Call
from clary.records.record import Record
from clary.services.sns import operation
from clary.services.sns.api import LARGEST
from clary.services.sns.destination import spread
from clary.services.sns.errors import invalid, not_built
from clary.services.sns.notification import kept_attributes
from clary.services.sns.topics import find_topic
from clary.wire.errors import ServiceError

MOST = 10
_LONGEST_SUBJECT = 100


@operation("Publish")
def publish(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "PhoneNumber" in request:
        raise not_built("PhoneNumber", "To publish to a phone number")
    arn = request.get("TopicArn") or request.get("TargetArn")
    if not arn:
        raise invalid("TopicArn or TargetArn", "no value for required parameter")
    return _publish(call, find_topic(call, arn), request)


@operation("PublishBatch")
def publish_batch(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    topic, entries = find_topic(call, request["TopicArn"]), request["PublishBatchRequestEntries"]
    if not entries:
        raise ServiceError("EmptyBatchRequestException", "The batch request doesn't contain any entries.")
    if len(entries) > MOST:
        raise ServiceError("TooManyEntriesInBatchRequestException", f"The batch request has more than {MOST} entries.")
    if len({entry["Id"] for entry in entries}) < len(entries):
        raise ServiceError("BatchEntryIdsNotDistinctException", "Two or more batch entries have the same Id.")
    successful, failed = [], []
    for entry in entries:
        try:
            successful.append({"Id": entry["Id"], **_publish(call, topic, entry)})
        except ServiceError as error:
            failed.append({"Id": entry["Id"], "Code": error.code, "Message": error.message, "SenderFault": True})
    return {"Successful": successful, "Failed": failed}


def _publish(call: Call, topic: Record, request: dict[str, Any]) -> dict[str, str]:
    for member in ("MessageDeduplicationId", "MessageGroupId"):
        if member in request:
            raise not_built(member, f"{member} (of FIFO topics)")
    message, subject = request["Message"], request.get("Subject", "")
    attributes = kept_attributes(request.get("MessageAttributes", {}))
    _check_size(topic, message, attributes)
    if len(subject) > _LONGEST_SUBJECT or not subject.isprintable():
        raise invalid("Subject", "It is up to 100 characters without line breaks or control characters")
    structure = request.get("MessageStructure", "")
    if structure not in ("", "json"):
        raise invalid("MessageStructure", "It is json or absent")
    texts = _texts(message) if structure else {"default": message}
    return {"MessageId": spread(call.house, topic, texts, subject, attributes)}


def _check_size(topic: Record, message: str, attributes: dict[str, dict[str, str]]) -> None:
    if not message:
        raise invalid("Message", "Empty message")
    size = len(message.encode()) + sum(
        len(name.encode()) + sum(len(text.encode()) for text in each.values()) for name, each in attributes.items()
    )
    if size > int(topic.document.get("MaximumMessageSize") or LARGEST):
        raise invalid("Message", "Message too long")


def _texts(message: str) -> dict[str, str]:
    """What each protocol's subscribers get."""
    try:
        found = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise invalid("Message Structure", "JSON message body failed to parse") from None
    if not isinstance(found, dict) or "default" not in found:
        raise invalid("Message Structure", "No default entry in JSON message body")
    return {protocol: text for protocol, text in found.items() if isinstance(text, str)}
