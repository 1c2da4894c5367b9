"""Condition operators: `StringLike`, `NumericLessThanIfExists`, `ForAnyValue:StringEquals` …

An operator compares one value of the policy with one of the call. Of several values of the policy one must fit, or
none where the operator is a negation. A key that the call does not have fails a comparison and passes a negation;
`IfExists` passes both. Source: "IAM JSON policy elements: Condition operators" in the IAM User Guide.
"""

import base64
import binascii
import ipaddress
import operator
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from clary.policies.patterns import Context, filled, matches

Compare = Callable[[str, str, Context | None], bool]
"""`(value of the policy, value of the call, context for variables)`. Raises `ValueError` for what it cannot read."""


@dataclass(frozen=True, slots=True)
class Operator:
    compare: Compare
    negated: bool = False


def _plainly(compare: Callable[[str, str], bool]) -> Compare:
    """For operators whose values are no patterns."""

    def run(wanted: str, value: str, context: Context | None) -> bool:
        text = filled(wanted, context) if context else wanted
        return text is not None and compare(text, value)

    return run


def _like(wanted: str, value: str, context: Context | None) -> bool:
    return matches(wanted, value, context)


def _arn(wanted: str, value: str, context: Context | None) -> bool:
    """Each of the six parts by itself: a `*` in one does not reach over a colon into the next."""
    pairs = list(zip(wanted.split(":", 5), value.split(":", 5), strict=False))
    return len(pairs) == 6 and all(matches(pattern, part, context) for pattern, part in pairs)


def _address(wanted: str, value: str) -> bool:
    address, network = ipaddress.ip_address(value), ipaddress.ip_network(wanted, strict=False)
    if address.version == 6 and address.ipv4_mapped is not None:
        address = address.ipv4_mapped  # how a socket of both versions sees a caller by the older one
    return address.version == network.version and address in network


def _binary(wanted: str, value: str) -> bool:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _bool(wanted: str, value: str) -> bool:
    if wanted.lower() not in ("true", "false"):
        raise ValueError(f"{wanted} is neither true nor false")
    return wanted.lower() == value.lower()


def _instant(text: str) -> float:
    """Epoch seconds of an ISO 8601 date, or of such a number."""
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _ordered(read: Callable[[str], float], compare: Callable[[float, float], bool]) -> Compare:
    return _plainly(lambda wanted, value: compare(read(value), read(wanted)))


_COMPARISONS = {
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_equals = _plainly(operator.eq)
_alike = _plainly(lambda wanted, value: wanted.casefold() == value.casefold())

OPERATORS = {
    "StringEquals": Operator(_equals),
    "StringNotEquals": Operator(_equals, negated=True),
    "StringEqualsIgnoreCase": Operator(_alike),
    "StringNotEqualsIgnoreCase": Operator(_alike, negated=True),
    "StringLike": Operator(_like),
    "StringNotLike": Operator(_like, negated=True),
    "Bool": Operator(_plainly(_bool)),
    "BinaryEquals": Operator(_plainly(_binary)),
    "IpAddress": Operator(_plainly(_address)),
    "NotIpAddress": Operator(_plainly(_address), negated=True),
    "ArnEquals": Operator(_arn),
    "ArnLike": Operator(_arn),
    "ArnNotEquals": Operator(_arn, negated=True),
    "ArnNotLike": Operator(_arn, negated=True),
    **{
        f"{family}{name}": Operator(_ordered(read, compare))
        for family, read in (("Numeric", float), ("Date", _instant))
        for name, compare in {"Equals": operator.eq, **_COMPARISONS}.items()
    },
    "NumericNotEquals": Operator(_ordered(float, operator.eq), negated=True),
    "DateNotEquals": Operator(_ordered(_instant, operator.eq), negated=True),
}

SAMPLES = {
    "Numeric": "0",
    "Date": "0",
    "Bool": "true",
    "Binary": "",
    "IpAddress": "127.0.0.1",
    "NotIpAddress": "127.0.0.1",
}
"""A value of the call by the beginning of the operator's name, to try a policy's value on before it is kept."""
