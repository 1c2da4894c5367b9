"""Queues: the records, where clients find them, and what they are told to do with their messages."""

from typing import Any
from urllib.parse import urlsplit

import orjson

from clary.arns import read_arn, regional_arn
from clary.control.call import Call
from clary.control.house import House
from clary.messages.queue import DeadLetters
from clary.records.record import Kind, Record, Scope, State
from clary.services.sqs.errors import no_such_queue

QUEUE = Kind("queue")
EXISTS = State("")
SOURCE = "DeadLetterQueueSourceArn"


def queue_arn(scope: Scope, name: str) -> str:
    return regional_arn("sqs", scope.region, scope.account, name)


def queue_url(call: Call, name: str) -> str:
    return f"{call.endpoint}/{call.scope.account}/{name}"


def find_queue(call: Call, request: dict[str, Any]) -> Record:
    """The queue of `QueueUrl`, which may be at any host: it ends in account and name. A bare name is taken too, as SQS
    does. Raises `QueueDoesNotExist`."""
    account, _, name = f"/{urlsplit(request['QueueUrl']).path}".rstrip("/").rpartition("/")
    return named_queue(call, name, account.rpartition("/")[2] or call.scope.account)


def named_queue(call: Call, name: str, account: str) -> Record:
    found = call.house.records.find(QUEUE, call.scope, name) if account == call.scope.account else None
    if found is None:
        raise no_such_queue()
    return found


def queue_at(house: House, arn: str) -> Record | None:
    named = read_arn(arn)
    if named is None or named.service != "sqs":
        return None
    return house.records.find(QUEUE, Scope(named.account, named.region), named.resource)


def seconds(queue: Record, attribute: str) -> int:
    return int(queue.document[attribute])


def dead_letters(house: House, queue: Record) -> DeadLetters | None:
    """None where it has none, or none that is still there: then its messages stay."""
    policy = orjson.loads(queue.document.get("RedrivePolicy") or "{}")
    target = queue_at(house, policy.get("deadLetterTargetArn", ""))
    return DeadLetters(target.id, int(policy["maxReceiveCount"]), {SOURCE: queue.arn}) if target else None
