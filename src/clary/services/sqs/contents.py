"""What a message holds: checked as SQS does, and its digests, by which clients see that it came as it was sent.

Sources: "Message metadata for Amazon SQS" of the developer guide (types, and how the MD5 of attributes is made) and the
model's documentation of SendMessage.
"""

import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import Any

from clary.services.sqs.errors import refusal

MOST_ATTRIBUTES = 10
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME = re.compile(r"(?!\.)(?!(?i:aws|amazon)\.)[\w.-]{1,256}(?<!\.)", re.ASCII)
_DATA_TYPE = re.compile(r"(String|Number|Binary)(\..+)?", re.DOTALL)
_STRING, _BINARY = b"\x01", b"\x02"

Attributes = dict[str, dict[str, Any]]
"""As the model has them; binary values are bytes in requests and answers, base64 where they are kept."""


def checked_body(body: str) -> str:
    if not body:
        raise refusal("InvalidParameterValue", "The request must contain the parameter MessageBody.")
    if _UNWRITABLE.search(body):
        raise refusal("InvalidMessageContents", "Invalid characters found in the message body.")
    return body


def checked_attributes(given: Attributes) -> Attributes:
    """As they are kept."""
    if len(given) > MOST_ATTRIBUTES:
        message = f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}]."
        raise refusal("InvalidParameterValue", message)
    for name, attribute in given.items():
        _check_attribute(name, attribute)
    return {name: _kept(attribute) for name, attribute in given.items()}


def _check_attribute(name: str, attribute: dict[str, Any]) -> None:
    if not _ATTRIBUTE_NAME.fullmatch(name) or ".." in name:
        raise refusal("InvalidParameterValue", f"The message attribute name '{name}' is invalid.")
    kind = _DATA_TYPE.fullmatch(attribute["DataType"])
    if kind is None:
        message = f"The type of message (user) attribute '{name}' is invalid. You must use only the following "
        raise refusal("InvalidParameterValue", message + "supported type prefixes: Binary, Number, String.")
    member = "BinaryValue" if kind[1] == "Binary" else "StringValue"
    value = attribute.get(member)
    if not value:
        message = f"The message (user) attribute '{name}' must contain a non-empty {member}."
        raise refusal("InvalidParameterValue", message)
    if isinstance(value, str) and _UNWRITABLE.search(value):
        raise refusal("InvalidMessageContents", f"Invalid characters found in the attribute '{name}'.")
    if kind[1] == "Number" and not _is_number(value):
        message = f"Can't cast the value of message (user) attribute '{name}' to a number."
        raise refusal("InvalidParameterValue", message)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _kept(attribute: dict[str, Any]) -> dict[str, str]:
    if attribute.get("BinaryValue"):
        return {"DataType": attribute["DataType"], "BinaryValue": b64encode(attribute["BinaryValue"]).decode()}
    return {"DataType": attribute["DataType"], "StringValue": attribute["StringValue"]}


def told(kept: Attributes) -> Attributes:
    return {
        name: {**each, "BinaryValue": b64decode(each["BinaryValue"])} if "BinaryValue" in each else each
        for name, each in kept.items()
    }


def size(body: str, kept: Attributes) -> int:
    """Bytes that count against a queue's `MaximumMessageSize`."""
    values = sum(
        len(name.encode()) + len(each["DataType"].encode()) + len(_value(each)[1]) for name, each in kept.items()
    )
    return len(body.encode()) + values


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def md5_of(kept: Attributes) -> str:
    """In the order of their names: name, type, kind of value and value, each but the third after its length."""
    encoded = b""
    for name in sorted(kept):
        kind, value = _value(kept[name])
        encoded += _measured(name.encode()) + _measured(kept[name]["DataType"].encode()) + kind + _measured(value)
    return md5(encoded)


def _value(attribute: dict[str, str]) -> tuple[bytes, bytes]:
    if "BinaryValue" in attribute:
        return _BINARY, b64decode(attribute["BinaryValue"])
    return _STRING, attribute["StringValue"].encode()


def _measured(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def chosen(kept: Attributes, names: Iterable[str]) -> Attributes:
    """Those that ReceiveMessage asks for: by name, by `prefix.*`, or all."""
    wanted = [(name.removesuffix("*"), name.endswith(".*")) for name in names if name not in ("All", ".*")]
    if any(name in ("All", ".*") for name in names):
        return kept
    return {
        name: each
        for name, each in kept.items()
        if any(name.startswith(text) if is_prefix else name == text for text, is_prefix in wanted)
    }
