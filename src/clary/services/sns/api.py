"""Operations on topics. Those on subscriptions are in `subscriptions.py`, Publish in `publishing.py`."""

import re
from functools import partial
from typing import Any

import orjson

from clary.control.call import Call
from clary.messages import outbox
from clary.policies.document import MalformedPolicy, read
from clary.records.errors import AlreadyExists, InvalidToken, NotFound, TooManyTags
from clary.records.record import Record
from clary.services.sns import operation
from clary.services.sns.errors import invalid, not_built
from clary.services.sns.retrying import EFFECTIVE
from clary.services.sns.topics import (
    CONFIRMED,
    DIRECT,
    EXISTS,
    PENDING,
    SUBSCRIPTION,
    TOPIC,
    find_topic,
    page_of,
    subscriptions_of,
    topic_arn,
)
from clary.wire.errors import ServiceError

LARGEST = 256 << 10
"""Bytes of a message, where a topic does not say otherwise."""
_NAME = re.compile(r"[\w-]{1,256}", re.ASCII)
_OWNER_MAY = (
    *("GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission"),
    *("DeleteTopic", "Subscribe", "ListSubscriptionsByTopic", "Publish"),
)


@operation("CreateTopic")
def create_topic(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name, given = request["Name"], request.get("Attributes", {})
    if name.endswith(".fifo") or given.get("FifoTopic", "false") != "false":
        raise not_built("Attributes", "A FIFO topic")
    if not _NAME.fullmatch(name):
        raise invalid("Topic Name", "A name is up to 256 letters, digits, hyphens and underscores")
    if "DataProtectionPolicy" in request:
        raise not_built("DataProtectionPolicy", "DataProtectionPolicy")
    kept = {attribute: _checked(attribute, value) for attribute, value in given.items() if attribute != "FifoTopic"}
    tags, arn = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}, topic_arn(call.scope, name)
    try:
        call.house.records.create(TOPIC, call.scope, name, arn, kept, EXISTS, tags)
    except AlreadyExists:
        there = call.house.records.get(TOPIC, call.scope, name)
        if any(there.document.get(attribute) != value for attribute, value in kept.items()):
            raise invalid("Attributes", "Topic already exists with different attributes") from None
        if tags and call.house.records.tags(there) != tags:
            raise invalid("Tags", "Topic already exists with different tags") from None
    except TooManyTags:
        raise _too_many_tags() from None
    return {"TopicArn": arn}


def _checked(name: str, value: str) -> str:
    if name == "Policy" and value:
        try:
            read(value)
        except MalformedPolicy as error:
            raise invalid("Policy", str(error)) from None
    elif name == "MaximumMessageSize":
        if not value.isdecimal() or not 1024 <= int(value) <= 1 << 20:
            raise invalid(name, "It is a number of bytes from 1024 to 1048576")
    elif name not in ("DisplayName", "KmsMasterKeyId", "Policy"):
        raise not_built("AttributeName", f"The attribute {name} of topics")
    return value


@operation("DeleteTopic")
def delete_topic(call: Call, request: dict[str, Any]) -> None:
    try:
        topic = find_topic(call, request["TopicArn"])
    except ServiceError as error:
        if error.code == "NotFoundException":
            return
        raise
    with call.house.records.together():
        for subscription in list(subscriptions_of(call.house, topic)):
            call.house.records.delete(subscription)
            call.house.messages.change(partial(outbox.forget, recipient=subscription.id))
        call.house.records.delete(topic)


@operation("ListTopics")
def list_topics(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    try:
        found, more = page_of(call, TOPIC, request)
    except InvalidToken:
        raise invalid("NextToken", "It is none that was given out") from None
    return {"Topics": [{"TopicArn": topic.arn} for topic in found], **more}


@operation("GetTopicAttributes")
def get_topic_attributes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    topic = find_topic(call, request["TopicArn"])
    counts = call.house.records.count_children(topic, SUBSCRIPTION)
    return {
        "Attributes": {
            "TopicArn": topic.arn,
            "Owner": topic.scope.account,
            "DisplayName": "",
            "Policy": _default_policy(topic),
            "EffectiveDeliveryPolicy": orjson.dumps({"http": EFFECTIVE}).decode(),
            "SubscriptionsConfirmed": str(counts.get(CONFIRMED.status, 0) + counts.get(DIRECT.status, 0)),
            "SubscriptionsPending": str(counts.get(PENDING.status, 0)),
            "SubscriptionsDeleted": "0",
            **{name: value for name, value in topic.document.items() if value},
        }
    }


def _default_policy(topic: Record) -> str:
    statement = {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{name}" for name in _OWNER_MAY],
        "Resource": topic.arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": topic.scope.account}},
    }
    return orjson.dumps({"Version": "2008-10-17", "Id": "__default_policy_ID", "Statement": [statement]}).decode()


@operation("SetTopicAttributes")
def set_topic_attributes(call: Call, request: dict[str, Any]) -> None:
    topic, name = find_topic(call, request["TopicArn"]), request["AttributeName"]
    value = _checked(name, request.get("AttributeValue", ""))
    call.house.records.update(topic, {**topic.document, name: value})


@operation("TagResource")
def tag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tags = {tag["Key"]: tag["Value"] for tag in request["Tags"]}
    try:
        call.house.records.add_tags(_tagged(call, request), tags)
    except TooManyTags:
        raise _too_many_tags() from None
    return {}


@operation("UntagResource")
def untag_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    call.house.records.remove_tags(_tagged(call, request), request["TagKeys"])
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tags = call.house.records.tags(_tagged(call, request))
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tagged(call: Call, request: dict[str, Any]) -> Record:
    try:
        topic = call.house.records.by_arn(request["ResourceArn"])
    except NotFound:
        topic = None
    if topic is None or topic.kind != TOPIC.name:
        raise ServiceError("ResourceNotFoundException", "Resource does not exist")
    return topic


def _too_many_tags() -> ServiceError:
    return ServiceError("TagLimitExceededException", "Could not complete request: tag quota of per resource exceeded")
