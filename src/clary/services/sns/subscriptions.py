"""Operations on subscriptions.

Subscribe sqs   ─▶ Direct
          http  ─▶ PendingConfirmation, and the invitation in the outbox ─ ConfirmSubscription, or a visit ─▶ Confirmed
"""

import secrets
import time
from functools import partial
from typing import Any
from uuid import uuid4

import orjson

from clary.arns import read_arn
from clary.control.call import Call
from clary.messages import outbox
from clary.records.errors import InvalidToken
from clary.records.record import NEVER, Record, State
from clary.services.sns import operation
from clary.services.sns.errors import invalid, no_such, not_built
from clary.services.sns.filters import checked_filter
from clary.services.sns.notification import confirmation
from clary.services.sns.retrying import checked_policy
from clary.services.sns.topics import (
    CONFIRMED,
    DIRECT,
    PENDING,
    SUBSCRIPTION,
    find_subscription,
    find_topic,
    page_of,
    subscriptions_of,
    topic_at,
)
from clary.services.sqs.queues import queue_at
from clary.wire.credentials import ANONYMOUS
from clary.wire.errors import ServiceError

TOKEN_HOLDS = 2 * 24 * 3600.0
"""Seconds in which an invitation may be accepted."""
_AUTHENTICATED = "AuthenticateOnUnsubscribe"
_WAS_AUTHENTICATED = "ConfirmationWasAuthenticated"
_OWN = ("Protocol", "Endpoint", "TopicArn", "Token", _AUTHENTICATED)
"""Members of the document that are no attributes."""


@operation("Subscribe")
def subscribe(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    topic, protocol, endpoint = find_topic(call, request["TopicArn"]), request["Protocol"], request.get("Endpoint", "")
    _check_endpoint(call, protocol, endpoint)
    attributes = {name: _checked(call, name, value) for name, value in request.get("Attributes", {}).items()}
    for there in subscriptions_of(call.house, topic):
        if (there.document["Protocol"], there.document["Endpoint"]) == (protocol, endpoint):
            if any(there.document.get(name) != value for name, value in attributes.items()):
                raise invalid("Attributes", "Subscription already exists with different attributes")
            if there.state == PENDING:
                _invite(call, there)
            return _answer(there, request)
    document = {"Protocol": protocol, "Endpoint": endpoint, "TopicArn": topic.arn, **attributes}
    return _answer(_subscribe(call, topic, document), request)


def _subscribe(call: Call, topic: Record, document: dict[str, str]) -> Record:
    name, is_queue = str(uuid4()), document["Protocol"] == "sqs"
    if not is_queue:
        document["Token"] = secrets.token_hex(64)
    with call.house.records.together():
        made = call.house.records.create(
            SUBSCRIPTION,
            topic.scope,
            name,
            f"{topic.arn}:{name}",
            document,
            DIRECT if is_queue else PENDING,
            parent=topic.id,
            wake_at=None if is_queue else time.time() + TOKEN_HOLDS,
        )
        if not is_queue:
            _invite(call, made)
    return made


def _invite(call: Call, subscription: Record) -> None:
    document, message = subscription.document, str(uuid4())
    text = confirmation(call.endpoint, document["TopicArn"], message, document["Token"])
    content = {"Type": "SubscriptionConfirmation", "MessageId": message, "Body": text}
    now = time.time()
    with call.house.records.together():
        call.house.messages.change(partial(outbox.post, recipient=subscription.id, content=content, now=now))
        call.house.supervisor.wake(SUBSCRIPTION, subscription.id)


def _answer(subscription: Record, request: dict[str, Any]) -> dict[str, Any]:
    told = subscription.state != PENDING or request.get("ReturnSubscriptionArn")
    return {"SubscriptionArn": subscription.arn if told else "pending confirmation"}


def _check_endpoint(call: Call, protocol: str, endpoint: str) -> None:
    if protocol == "sqs":
        if queue_at(call.house, endpoint) is None:
            raise invalid("SQS endpoint ARN", f"there is no queue {endpoint!r}")
    elif protocol in ("http", "https"):
        if not endpoint.startswith(f"{protocol}://"):
            raise invalid("Endpoint", f"Endpoint must match the specified protocol, {protocol}")
        if not call.principal.endswith(":root"):
            # A job's program would have the platform reach what its own network does not.
            message = "In Clary only the account itself subscribes HTTP endpoints, and no role does."
            raise ServiceError("AuthorizationErrorException", message)
    else:
        raise not_built("Protocol", f"The protocol {protocol!r}")


def _checked(call: Call, name: str, value: str) -> str:
    if name == "RawMessageDelivery":
        if value not in ("true", "false"):
            raise invalid(name, "It is true or false")
    elif name == "FilterPolicy":
        return checked_filter(value) if value else value
    elif name == "DeliveryPolicy":
        return checked_policy(value) if value else value
    elif name == "RedrivePolicy":
        _check_redrive(call, value)
    elif name != "FilterPolicyScope" or value != "MessageAttributes":
        raise not_built("AttributeName", f"The attribute {name} of {value!r}")
    return value


def _check_redrive(call: Call, text: str) -> None:
    try:
        target = orjson.loads(text or "{}").get("deadLetterTargetArn")
    except (orjson.JSONDecodeError, AttributeError):
        target = ""
    if target is not None and queue_at(call.house, str(target)) is None:
        raise invalid("RedrivePolicy", "deadLetterTargetArn must be the ARN of a queue")


@operation("ConfirmSubscription")
def confirm_subscription(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = _by_token(call, request["TopicArn"], request["Token"])
    authenticated = call.principal != ANONYMOUS
    protected = request.get(_AUTHENTICATED, "false") == "true"
    if protected and not authenticated:
        raise ServiceError("AuthorizationErrorException", f"{_AUTHENTICATED} asks for a signed call")
    if found.state == PENDING:
        document = {**found.document, _WAS_AUTHENTICATED: str(authenticated).lower(), _AUTHENTICATED: str(protected)}
        call.house.records.transition(found, CONFIRMED, document=document, wake_at=NEVER)
    return {"SubscriptionArn": found.arn}


def _by_token(call: Call, topic: str, token: str) -> Record:
    """Whoever shows a token need not be of the account, or of anybody's."""
    named = read_arn(topic)
    found = topic_at(call.house, topic) if named else None
    if found is None:
        raise no_such("Topic")
    for subscription in subscriptions_of(call.house, found):
        if secrets.compare_digest(subscription.document.get("Token", ""), token):
            return subscription
    raise invalid("Token", "Invalid token")


@operation("Unsubscribe")
def unsubscribe(call: Call, request: dict[str, Any]) -> None:
    found = find_subscription(call, request["SubscriptionArn"])
    if call.principal == ANONYMOUS and found.document.get(_AUTHENTICATED, "True") == "True":
        raise ServiceError("AuthorizationErrorException", "This subscription is ended by a signed call only")
    with call.house.records.together():
        call.house.records.delete(found)
        call.house.messages.change(partial(outbox.forget, recipient=found.id))


@operation("ListSubscriptions")
def list_subscriptions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, request, "")


@operation("ListSubscriptionsByTopic")
def list_subscriptions_by_topic(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _listed(call, request, find_topic(call, request["TopicArn"]).id)


def _listed(call: Call, request: dict[str, Any], parent: str) -> dict[str, Any]:
    try:
        found, more = page_of(call, SUBSCRIPTION, request, parent)
    except InvalidToken:
        raise invalid("NextToken", "It is none that was given out") from None
    return {"Subscriptions": [_summary(each) for each in found], **more}


def _summary(subscription: Record) -> dict[str, str]:
    return {
        "SubscriptionArn": "PendingConfirmation" if subscription.state == PENDING else subscription.arn,
        "Owner": subscription.scope.account,
        "Protocol": subscription.document["Protocol"],
        "Endpoint": subscription.document["Endpoint"],
        "TopicArn": subscription.document["TopicArn"],
    }


@operation("GetSubscriptionAttributes")
def get_subscription_attributes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    found = find_subscription(call, request["SubscriptionArn"])
    return {
        "Attributes": {
            **_summary(found),
            "SubscriptionArn": found.arn,
            "PendingConfirmation": _as_text(found.state, PENDING),
            _WAS_AUTHENTICATED: _as_text(found.state, DIRECT),
            "RawMessageDelivery": "false",
            "SubscriptionPrincipal": call.global_arn("iam", "root"),
            **{name: value for name, value in found.document.items() if value and name not in _OWN},
        }
    }


def _as_text(state: State, wanted: State) -> str:
    return str(state == wanted).lower()


@operation("SetSubscriptionAttributes")
def set_subscription_attributes(call: Call, request: dict[str, Any]) -> None:
    found, name = find_subscription(call, request["SubscriptionArn"]), request["AttributeName"]
    value = _checked(call, name, request.get("AttributeValue", ""))
    call.house.records.update(found, {**found.document, name: value})
