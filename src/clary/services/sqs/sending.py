"""SendMessage, one or several."""

from typing import Any

from clary.control.call import Call
from clary.messages.queue import Draft
from clary.records.record import Record
from clary.services.sqs import operation
from clary.services.sqs.batches import answer_each, entries_of
from clary.services.sqs.contents import checked_attributes, checked_body, md5, md5_of, size
from clary.services.sqs.errors import not_built, refusal
from clary.services.sqs.queues import find_queue, seconds

TRACE = "AWSTraceHeader"
_LARGEST_BATCH = 1 << 20
_LONGEST_DELAY = 900
_OF_FIFO = ("MessageDeduplicationId", "MessageGroupId")


@operation("SendMessage")
def send_message(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue = find_queue(call, request)
    draft = _draft(call, queue, request)
    [message] = call.house.messages.send(queue.id, [draft], seconds(queue, "MessageRetentionPeriod"))
    return _answer(draft, message)


@operation("SendMessageBatch")
def send_message_batch(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queue, entries = find_queue(call, request), entries_of(request)
    if sum(len(entry["MessageBody"].encode()) for entry in entries) > _LARGEST_BATCH:
        message = f"Batch requests cannot be longer than {_LARGEST_BATCH} bytes."
        raise refusal("BatchRequestTooLong", message)
    drafts: dict[str, Draft] = {}

    def check(entry: dict[str, Any]) -> dict[str, Any]:
        drafts[entry["Id"]] = _draft(call, queue, entry)
        return {}

    answer = answer_each(entries, check)
    if drafts:
        kept = seconds(queue, "MessageRetentionPeriod")
        sent = call.house.messages.send(queue.id, list(drafts.values()), kept)
        answer["Successful"] = [
            {"Id": entry, **_answer(draft, message)}
            for (entry, draft), message in zip(drafts.items(), sent, strict=True)
        ]
    return answer


def _draft(call: Call, queue: Record, request: dict[str, Any]) -> Draft:
    for member in _OF_FIFO:
        if member in request:
            raise not_built(f"{member} (of FIFO queues)")
    body = checked_body(request["MessageBody"])
    attributes = checked_attributes(request.get("MessageAttributes", {}))
    most = seconds(queue, "MaximumMessageSize")
    if size(body, attributes) > most:
        message = f"One or more parameters are invalid. Reason: Message must be shorter than {most} bytes."
        raise refusal("InvalidParameterValue", message)
    delay = request.get("DelaySeconds", seconds(queue, "DelaySeconds"))
    if not 0 <= delay <= _LONGEST_DELAY:
        message = f"Value {delay} for parameter DelaySeconds is invalid. Reason: must be >= 0 and <= {_LONGEST_DELAY}."
        raise refusal("InvalidParameterValue", message)
    system = {"SenderId": call.scope.account}
    if TRACE in request.get("MessageSystemAttributes", {}):
        system[TRACE] = request["MessageSystemAttributes"][TRACE].get("StringValue", "")
    return Draft(body, attributes, system, delay)


def _answer(draft: Draft, message: str) -> dict[str, Any]:
    answer = {"MessageId": message, "MD5OfMessageBody": md5(draft.body.encode())}
    if draft.attributes:
        answer["MD5OfMessageAttributes"] = md5_of(draft.attributes)
    if TRACE in draft.system:
        trace = {TRACE: {"DataType": "String", "StringValue": draft.system[TRACE]}}
        answer["MD5OfMessageSystemAttributes"] = md5_of(trace)
    return answer
