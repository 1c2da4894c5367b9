"""ReceiveMessage, and what is done with what was received.

A receipt that waits (`WaitTimeSeconds`) sleeps until a message comes, or one that is hidden is due again.
"""

import asyncio
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from functools import partial
from typing import Any

import orjson

from clary.control.call import Call
from clary.messages import queue as queues
from clary.messages.queue import Message, Receipt
from clary.records.record import Record
from clary.services.sqs import operation
from clary.services.sqs.batches import MOST, answer_each, entries_of
from clary.services.sqs.contents import chosen, md5, md5_of, told
from clary.services.sqs.errors import refusal
from clary.services.sqs.queues import dead_letters, find_queue, seconds

LONGEST_WAIT = 20
LONGEST_HIDDEN = 12 * 3600


@operation("ReceiveMessage")
async def receive_message(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue = await asyncio.to_thread(find_queue, call, request)
    most = _within(request, "MaxNumberOfMessages", 1, 1, MOST)
    hidden = _within(request, "VisibilityTimeout", seconds(queue, "VisibilityTimeout"), 0, LONGEST_HIDDEN)
    wait = _within(request, "WaitTimeSeconds", seconds(queue, "ReceiveMessageWaitTimeSeconds"), 0, LONGEST_WAIT)
    found = await _received(call, queue, most, hidden, time.monotonic() + wait)
    return {"Messages": [_described(message, request) for message in found]} if found else {}


async def _received(call: Call, queue: Record, most: int, hidden: int, deadline: float) -> list[Message]:
    messages, news = call.house.messages, asyncio.Event()
    kept, dead = seconds(queue, "MessageRetentionPeriod"), await asyncio.to_thread(dead_letters, call.house, queue)
    loop = asyncio.get_running_loop()

    def hear() -> None:
        loop.call_soon_threadsafe(news.set)

    with messages.arrivals.listening(queue.id, hear):
        while True:
            news.clear()
            found = await asyncio.to_thread(messages.receive, queue.id, most, hidden, kept, dead)
            left = deadline - time.monotonic()
            if found or left <= 0:
                return found
            due = await asyncio.to_thread(messages.view, partial(queues.next_visible, queue=queue.id))
            pause = left if due is None else min(left, max(0.0, due - time.time()))
            try:
                await asyncio.wait_for(news.wait(), pause)
            except TimeoutError:
                continue


def _within(request: dict[str, Any], member: str, default: int, least: int, most: int) -> int:
    value: int = request.get(member, default)
    if not least <= value <= most:
        message = (
            f"Value {value} for parameter {member} is invalid. Reason: Must be between {least} and {most}, if provided."
        )
        raise refusal("InvalidParameterValue", message)
    return value


def _described(message: Message, request: dict[str, Any]) -> dict[str, Any]:
    asked = {*request.get("AttributeNames", []), *request.get("MessageSystemAttributeNames", [])}
    system = {
        **message.system,
        "SentTimestamp": str(int(message.sent * 1000)),
        "ApproximateReceiveCount": str(message.receipt.receives),
        "ApproximateFirstReceiveTimestamp": str(int(message.first_received * 1000)),
    }
    system = {name: value for name, value in system.items() if name in asked or "All" in asked}
    attributes = chosen(message.attributes, request.get("MessageAttributeNames", []))
    described: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": _handle(message.receipt),
        "MD5OfBody": md5(message.body.encode()),
        "Body": message.body,
    }
    if system:
        described["Attributes"] = system
    if attributes:
        described |= {"MessageAttributes": told(attributes), "MD5OfMessageAttributes": md5_of(attributes)}
    return described


@operation("DeleteMessage")
def delete_message(call: Call, request: dict[str, Any]) -> None:
    call.house.messages.remove(find_queue(call, request).id, [_receipt(request)])


@operation("DeleteMessageBatch")
def delete_message_batch(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue, receipts = find_queue(call, request), []

    def check(entry: dict[str, Any]) -> dict[str, Any]:
        receipts.append(_receipt(entry))
        return {}

    answer = answer_each(entries_of(request), check)
    call.house.messages.remove(queue.id, receipts)
    return answer


@operation("ChangeMessageVisibility")
def change_message_visibility(call: Call, request: dict[str, Any]) -> None:
    _hide(call, find_queue(call, request), request)


@operation("ChangeMessageVisibilityBatch")
def change_message_visibility_batch(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue = find_queue(call, request)
    return answer_each(entries_of(request), lambda entry: _hide(call, queue, entry))


def _hide(call: Call, queue: Record, request: dict[str, Any]) -> dict[str, Any]:
    hidden = _within(request, "VisibilityTimeout", 0, 0, LONGEST_HIDDEN)
    if not call.house.messages.hide(queue.id, _receipt(request), hidden):
        raise refusal("MessageNotInflight", "The message referred to isn't in flight.")
    return {}


def _handle(receipt: Receipt) -> str:
    return urlsafe_b64encode(orjson.dumps(list(receipt))).decode()


def _receipt(request: dict[str, Any]) -> Receipt:
    handle = request["ReceiptHandle"]
    try:
        number, receives = orjson.loads(urlsafe_b64decode(handle))
        return Receipt(int(number), int(receives))
    except (ValueError, TypeError):
        message = f'The input receipt handle "{handle}" is not a valid receipt handle.'
        raise refusal("ReceiptHandleIsInvalid", message, 404) from None
