"""The policy that a browser's form carries: until when it is good, and what its fields may say.

Source: "Creating a POST policy" in the S3 API Reference. Every field must be spoken of, so that who holds a signed
form cannot add to it.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NoReturn

from clary.wire.errors import ServiceError

_UNSPOKEN = frozenset({"awsaccesskeyid", "signature", "policy", "x-amz-signature", "file"})
"""Fields that no condition needs to speak of."""
_IGNORED = "x-ignore-"
LARGEST = 5 << 30


def check_policy(
    policy: str, fields: Mapping[str, str], bucket: str, now: float, largest: int = LARGEST
) -> tuple[int, int]:
    """The least and the most bytes that the file may have; raises S3's `ServiceError` for a form that is not allowed.

    `policy` is as the form has it, base64; `fields` by name in lower case.
    """
    document = _read(policy)
    if _expiration(document) < now:
        _refuse("Policy expired.")
    values = {**fields, "bucket": bucket}
    spoken, least, most = set(_UNSPOKEN), 0, largest
    for condition in document["conditions"]:
        operator, name, *wanted = _condition(condition)
        if operator == "content-length-range":
            least, most = max(least, _size(name)), min(most, _size(wanted[0]))
            continue
        spoken.add(name)
        if not _holds(operator, values.get(name, ""), str(wanted[0])):
            _refuse(f"Policy Condition failed: {json.dumps(condition)}")
    extra = [name for name in fields if name not in spoken and not name.startswith(_IGNORED)]
    if extra:
        _refuse(f"Extra input fields: {extra[0]}")
    return least, most


def _read(policy: str) -> dict[str, Any]:
    try:
        document = json.loads(base64.b64decode(policy, validate=True))
    except (ValueError, RecursionError):
        _invalid("Invalid JSON.")
    if not isinstance(document, dict):
        _invalid("Invalid JSON.")
    if not isinstance(document.get("conditions"), list):
        _invalid("Policy is missing 'conditions'.")
    return document


def _expiration(document: dict[str, Any]) -> float:
    try:
        moment = datetime.fromisoformat(document["expiration"])
    except KeyError:
        _invalid("Policy is missing 'expiration'.")
    except (ValueError, TypeError):
        moment = None
    if moment is None or moment.tzinfo is None:
        _invalid(f"Invalid 'expiration' value: '{document['expiration']}'")
    return moment.timestamp()


def _condition(raw: Any) -> tuple[str, Any, Any]:
    """Operator, name in lower case, value; or `content-length-range`, least, most."""
    if isinstance(raw, dict) and len(raw) == 1:
        [(name, value)] = raw.items()
        return "eq", name.lower(), value
    if isinstance(raw, list) and len(raw) == 3 and isinstance(raw[0], str):
        operator, name, value = raw[0].lower(), raw[1], raw[2]
        if operator == "content-length-range":
            return operator, name, value
        if operator in ("eq", "starts-with") and isinstance(name, str) and name.startswith("$"):
            return operator, name[1:].lower(), value
    return _invalid(f"Invalid Condition: {json.dumps(raw)}")


def _holds(operator: str, value: str, wanted: str) -> bool:
    return value == wanted if operator == "eq" else value.startswith(wanted)


def _size(raw: Any) -> int:
    try:
        return int(raw)
    except (TypeError, ValueError):
        _invalid(f"Invalid content-length-range value: {raw}")


def _refuse(why: str) -> NoReturn:
    raise ServiceError("AccessDenied", f"Invalid according to Policy: {why}", 403)


def _invalid(why: str) -> NoReturn:
    raise ServiceError("InvalidPolicyDocument", f"Invalid Policy: {why}", 400)
