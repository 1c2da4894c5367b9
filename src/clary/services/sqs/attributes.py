"""Attributes of queues: checked, and with what SQS takes for those that nobody sets."""

from typing import Any

import orjson

from clary.control.call import Call
from clary.policies.document import MalformedPolicy, read
from clary.records.record import Record
from clary.services.sqs.errors import not_built, refusal
from clary.services.sqs.queues import queue_arn, queue_at

NUMBERS = {
    "DelaySeconds": (0, 900, "0"),
    "MaximumMessageSize": (1024, 1 << 20, str(1 << 20)),
    "MessageRetentionPeriod": (60, 14 * 24 * 3600, str(4 * 24 * 3600)),
    "ReceiveMessageWaitTimeSeconds": (0, 20, "0"),
    "VisibilityTimeout": (0, 12 * 3600, "30"),
}
"""Smallest, largest, and what holds by default."""
DEFAULTS = {name: default for name, (_, _, default) in NUMBERS.items()} | {"SqsManagedSseEnabled": "true"}
_ENCRYPTION = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds", "SqsManagedSseEnabled")
"""Kept, and not used: nothing is encrypted at rest beyond what the disk does."""
_OF_FIFO = ("ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit")
_MOST_RECEIVES = 1000


def checked(call: Call, name: str, given: dict[str, str]) -> dict[str, str]:
    """What a request sets for the queue `name`, as it is kept; an empty text takes a policy away."""
    if name.endswith(".fifo") or given.get("FifoQueue", "false") != "false":
        raise not_built("A FIFO queue")
    return {attribute: _checked(call, name, attribute, value) for attribute, value in given.items()}


def _checked(call: Call, queue: str, name: str, value: str) -> str:
    if name in NUMBERS:
        least, most, _ = NUMBERS[name]
        if not value.isdecimal() or not least <= int(value) <= most:
            raise _invalid(name, f"Must be an integer from {least} to {most}.")
        return str(int(value))
    if name in ("RedrivePolicy", "RedriveAllowPolicy"):
        if value:
            check = _check_redrive if name == "RedrivePolicy" else _check_redrive_allowance
            check(call, queue, _object(name, value))
        return value
    if name == "Policy":
        if value:
            _check_policy(value)
        return value
    if name in _ENCRYPTION:
        return value
    if name in _OF_FIFO:
        raise refusal("InvalidAttributeName", f"You can specify the {name} only when FifoQueue is set to true.")
    raise refusal("InvalidAttributeName", f"Unknown Attribute {name}.")


def _object(name: str, text: str) -> dict[str, Any]:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        raise _invalid(name, "It is no JSON object.")
    return found


def _check_policy(text: str) -> None:
    try:
        read(text)
    except MalformedPolicy as error:
        raise _invalid("Policy", str(error)) from None


def _check_redrive(call: Call, name: str, policy: dict[str, Any]) -> None:
    receives = str(policy.get("maxReceiveCount", ""))
    if not receives.isdecimal() or not 1 <= int(receives) <= _MOST_RECEIVES:
        raise _invalid("RedrivePolicy", f"maxReceiveCount must be an integer from 1 to {_MOST_RECEIVES}.")
    target = queue_at(call.house, str(policy.get("deadLetterTargetArn", "")))
    if target is None or target.scope != call.scope:
        raise _invalid("RedrivePolicy", "Dead letter target does not exist.")
    if not _lets_redrive(target, queue_arn(call.scope, name)):
        raise _invalid("RedrivePolicy", "Queue does not have permission to use the dead letter target.")


def _lets_redrive(target: Record, source: str) -> bool:
    policy = orjson.loads(target.document.get("RedriveAllowPolicy") or "{}")
    permission = policy.get("redrivePermission", "allowAll")
    return permission == "allowAll" or (permission == "byQueue" and source in policy["sourceQueueArns"])


def _check_redrive_allowance(_call: Call, _name: str, policy: dict[str, Any]) -> None:
    permission = policy.get("redrivePermission")
    if permission not in ("allowAll", "denyAll", "byQueue"):
        raise _invalid("RedriveAllowPolicy", "redrivePermission must be allowAll, denyAll or byQueue.")
    sources = policy.get("sourceQueueArns")
    if (permission == "byQueue") != isinstance(sources, list):
        raise _invalid("RedriveAllowPolicy", "sourceQueueArns goes with byQueue, and with nothing else.")


def _invalid(name: str, why: str) -> Exception:
    return refusal("InvalidAttributeValue", f"Invalid value for the parameter {name}. Reason: {why}")
