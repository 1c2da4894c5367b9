"""Operations on queues. Those on messages are in `sending.py` and `receiving.py`."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from functools import partial
from typing import Any

from clary.control.call import Call
from clary.messages import queue as queues
from clary.records.errors import AlreadyExists, TooManyTags
from clary.records.query import Query
from clary.records.record import Record
from clary.services.sqs import operation
from clary.services.sqs.attributes import DEFAULTS, checked
from clary.services.sqs.errors import refusal
from clary.services.sqs.queues import EXISTS, QUEUE, dead_letters, find_queue, named_queue, queue_arn, queue_url

PAGE = 1000
_COUNTS = {
    "ApproximateNumberOfMessages": "visible",
    "ApproximateNumberOfMessagesNotVisible": "received",
    "ApproximateNumberOfMessagesDelayed": "delayed",
}
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_LONGEST_NAME = 80


@operation("CreateQueue")
def create_queue(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["QueueName"]
    given = checked(call, name, request.get("Attributes", {}))
    if not 0 < len(name) <= _LONGEST_NAME or not _NAME.issuperset(name):
        message = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        raise refusal("InvalidParameterValue", message)
    try:
        document = {**DEFAULTS, **given}
        call.house.records.create(
            QUEUE, call.scope, name, queue_arn(call.scope, name), document, EXISTS, request.get("tags")
        )
    except AlreadyExists:
        there = named_queue(call, name, call.scope.account).document
        if any(there.get(attribute) != value for attribute, value in given.items()):
            message = (
                f"A queue already exists with the same name and a different value for attribute {_other(there, given)}"
            )
            raise refusal("QueueNameExists", message) from None
    except TooManyTags:
        raise _too_many_tags() from None
    return {"QueueUrl": queue_url(call, name)}


def _other(there: dict[str, str], given: dict[str, str]) -> str:
    return next(attribute for attribute, value in given.items() if there.get(attribute) != value)


@operation("GetQueueUrl")
def get_queue_url(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    owner = request.get("QueueOwnerAWSAccountId", call.scope.account)
    return {"QueueUrl": queue_url(call, named_queue(call, request["QueueName"], owner).name)}


@operation("ListQueues")
def list_queues(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _urls(call, request, "QueueUrls", request.get("QueueNamePrefix", ""), _all_queues(call))


@operation("ListDeadLetterSourceQueues")
def list_dead_letter_source_queues(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    target = find_queue(call, request)
    sources = []
    for queue in _all_queues(call):
        dead = dead_letters(call.house, queue)
        if dead and dead.queue == target.id:
            sources.append(queue)
    return _urls(call, request, "queueUrls", "", sources)


def _all_queues(call: Call) -> list[Record]:
    """By name."""
    found: list[Record] = []
    query = Query(sort_by="Name", max_results=PAGE)
    while True:
        page = call.house.records.list(QUEUE, call.scope, query)
        found += page.records
        if not page.next_token:
            return found
        query = Query(sort_by="Name", max_results=PAGE, next_token=page.next_token)


def _urls(call: Call, request: dict[str, Any], member: str, prefix: str, found: Sequence[Record]) -> dict[str, Any]:
    try:
        after = urlsafe_b64decode(request.get("NextToken", "")).decode()
    except ValueError:
        raise refusal("InvalidParameterValue", "Invalid or expired next token.") from None
    names = [queue.name for queue in found if queue.name.startswith(prefix) and queue.name > after]
    page = names[: request.get("MaxResults", PAGE)]
    more = {"NextToken": urlsafe_b64encode(page[-1].encode()).decode()} if len(page) < len(names) else {}
    return {member: [queue_url(call, name) for name in page], **more}


@operation("GetQueueAttributes")
def get_queue_attributes(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue = find_queue(call, request)
    asked = request.get("AttributeNames", [])
    counts = call.house.messages.view(partial(queues.count, queue=queue.id, now=time.time()))
    described = {
        **{name: value for name, value in queue.document.items() if value},
        **{name: str(getattr(counts, field)) for name, field in _COUNTS.items()},
        "QueueArn": queue.arn,
        "CreatedTimestamp": str(int(queue.created)),
        "LastModifiedTimestamp": str(int(queue.modified)),
    }
    return {"Attributes": {name: value for name, value in described.items() if name in asked or "All" in asked}}


@operation("SetQueueAttributes")
def set_queue_attributes(call: Call, request: dict[str, Any]) -> None:
    queue = find_queue(call, request)
    given = checked(call, queue.name, request["Attributes"])
    call.house.records.update(queue, {**queue.document, **given})


@operation("DeleteQueue")
def delete_queue(call: Call, request: dict[str, Any]) -> None:
    queue = find_queue(call, request)
    with call.house.records.together():
        call.house.records.delete(queue)
        call.house.messages.change(partial(queues.drop, queue=queue.id))


@operation("PurgeQueue")
def purge_queue(call: Call, request: dict[str, Any]) -> None:
    call.house.messages.change(partial(queues.drop, queue=find_queue(call, request).id))


@operation("TagQueue")
def tag_queue(call: Call, request: dict[str, Any]) -> None:
    try:
        call.house.records.add_tags(find_queue(call, request), request["Tags"])
    except TooManyTags:
        raise _too_many_tags() from None


@operation("UntagQueue")
def untag_queue(call: Call, request: dict[str, Any]) -> None:
    call.house.records.remove_tags(find_queue(call, request), request["TagKeys"])


@operation("ListQueueTags")
def list_queue_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": call.house.records.tags(find_queue(call, request))}


def _too_many_tags() -> Exception:
    return refusal("InvalidParameterValue", "Too many tags added for queue.")
