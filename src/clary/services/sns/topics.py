"""Topics and subscriptions: the records."""

from collections.abc import Iterable
from typing import Any

import orjson

from clary.arns import read_arn, regional_arn
from clary.control.call import Call
from clary.control.house import House
from clary.records.query import Query
from clary.records.record import Kind, Record, Scope, State
from clary.services.sns.errors import invalid, no_such

TOPIC = Kind("topic")
EXISTS = State("")

PENDING = State("PendingConfirmation")
CONFIRMED = State("Confirmed")
DIRECT = State("Direct")
"""Of a queue of this platform: what is published is there at once, and nothing is left to be delivered."""
SUBSCRIPTION = Kind(
    "subscription",
    transitions={PENDING: frozenset({CONFIRMED})},
    live=frozenset({PENDING.status, CONFIRMED.status}),
)
PAGE = 100


def topic_arn(scope: Scope, name: str) -> str:
    return regional_arn("sns", scope.region, scope.account, name)


def topic_at(house: House, arn: str) -> Record | None:
    named = read_arn(arn)
    if named is None or named.service != "sns":
        return None
    return house.records.find(TOPIC, Scope(named.account, named.region), named.resource)


def find_topic(call: Call, arn: str, member: str = "TopicArn") -> Record:
    """Raises `InvalidParameter` and `NotFound`."""
    named = read_arn(arn)
    if named is None or named.service != "sns":
        raise invalid(member, f"{arn} is no ARN of a topic")
    topic = topic_at(call.house, arn)
    if topic is None or topic.scope.account != call.scope.account:
        raise no_such("Topic")
    return topic


def find_subscription(call: Call, arn: str) -> Record:
    topic, _, name = arn.rpartition(":")
    named = read_arn(topic)
    if named is None or named.service != "sns":
        raise invalid("SubscriptionArn", f"{arn} is no ARN of a subscription")
    found = call.house.records.find(SUBSCRIPTION, Scope(named.account, named.region), name)
    if found is None or found.arn != arn:
        raise no_such("Subscription")
    return found


def subscriptions_of(house: House, topic: Record) -> Iterable[Record]:
    return house.records.children(topic, SUBSCRIPTION)


def document(record: Record, attribute: str) -> dict[str, Any]:
    """An attribute that is a JSON object; empty where it is not set."""
    found: dict[str, Any] = orjson.loads(record.document.get(attribute) or "{}")
    return found


def page_of(call: Call, kind: Kind, request: dict[str, Any], parent: str = "") -> tuple[list[Record], dict[str, str]]:
    """Records, and the member that leads to more of them."""
    query = Query(parent=parent, max_results=PAGE, next_token=request.get("NextToken", ""))
    page = call.house.records.list(kind, call.scope, query)
    return page.records, {"NextToken": page.next_token} if page.next_token else {}
