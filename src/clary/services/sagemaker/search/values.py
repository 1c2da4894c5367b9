"""A filter on one property as an expression over the index: operators, and values by the property's type.

A value is compared at the precision that it is given in, so it is a band of numbers: a timestamp is a whole second
where it names no fraction, and an integer is every decimal hyperparameter that becomes it when its fraction is cut
off (as the documentation of `Filter` has it). "Less" is below the band and "greater" above it.
"""

import math
import re
from datetime import UTC, datetime
from typing import NamedTuple

from clary.records.search.attributes import read_decimal
from clary.records.search.expression import AllOf, Contain, Equal, Expression, Held, Not, Present, Within
from clary.services.sagemaker.errors import invalid
from clary.services.sagemaker.search.properties import Property, PropertyType

HELD: dict[PropertyType, Held] = {
    "text": "texts",
    "boolean": "texts",
    "number": "numbers",
    "timestamp": "numbers",
    "decimal": "texts",
    "structure": "both",
}

OPERATORS: dict[PropertyType, frozenset[str]] = {
    "text": frozenset({"Contains", "In"}),
    "boolean": frozenset(),
    "number": frozenset({"GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}),
    "timestamp": frozenset({"GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo"}),
    "decimal": frozenset({"GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo", "Contains", "In"}),
}
"""Beyond those that all have. A structure has `Exists`, `NotExists` and `Contains` only."""


class Band(NamedTuple):
    """Numbers that are equal to a value."""

    low: float
    high: float
    with_low: bool = True
    with_high: bool = True


def condition(of: Property, operator: str, value: str | None) -> Expression:
    """Raises `ValidationException` where the property's type has no such operator or value."""
    there = Present(of.path, HELD[of.type])
    if operator == "Exists":
        return there
    if operator == "NotExists":
        return Not(there)
    if operator not in _operators(of.type):
        raise invalid(f"The operator {operator} is not supported for the {of.type} property {of.name}.")
    if value is None:
        raise invalid(f"The operator {operator} on the property {of.name} needs a Value.")
    if operator == "NotEquals":
        return AllOf((there, Not(condition(of, "Equals", value))))
    if operator == "Contains":
        return Contain(of.path, value)
    if operator == "In":
        return Equal(of.path, tuple(dict.fromkeys(text.strip() for text in value.split(","))))
    if of.type in ("text", "boolean"):
        return Equal(of.path, (_boolean(of, value) if of.type == "boolean" else value,))
    return _compared(of, operator, value)


def _operators(of: PropertyType) -> frozenset[str]:
    return frozenset({"Contains"}) if of == "structure" else OPERATORS[of] | {"Equals", "NotEquals"}


def _compared(of: Property, operator: str, value: str) -> Expression:
    band = _band(of, value)
    if band is None:
        if operator != "Equals" or of.type != "decimal":
            wanted = "an ISO 8601 date and time" if of.type == "timestamp" else "a number"
            raise invalid(f"The value {value} of the {of.type} property {of.name} is not {wanted}.")
        return Equal(of.path, (value,))
    low, high, with_low, with_high = band
    return {
        "Equals": Within(of.path, low, high, with_low, with_high),
        "GreaterThan": Within(of.path, low=high, with_low=not with_high),
        "GreaterThanOrEqualTo": Within(of.path, low=low, with_low=with_low),
        "LessThan": Within(of.path, high=low, with_high=not with_low),
        "LessThanOrEqualTo": Within(of.path, high=high, with_high=with_high),
    }[operator]


def _band(of: Property, value: str) -> Band | None:
    """None where the value is not of the property's type."""
    if of.type == "timestamp":
        return _moment(value)
    number = read_decimal(value)
    if number is None:
        return None
    if of.type == "decimal" and re.fullmatch(r"[+-]?\d+", value):
        return _cut_to(number)
    return Band(number, number)


def _cut_to(whole: float) -> Band:
    if whole == 0:
        return Band(-1, 1, with_low=False, with_high=False)
    if whole > 0:
        return Band(whole, whole + 1, with_high=False)
    return Band(whole - 1, whole, with_low=False)


def _moment(value: str) -> Band | None:
    try:
        moment = datetime.fromisoformat(value)
        epoch = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    if math.floor(epoch) != epoch:
        return Band(epoch, epoch)
    return Band(epoch, epoch + 1, with_high=False)


def _boolean(of: Property, value: str) -> str:
    if value.lower() not in ("true", "false"):
        raise invalid(f"The value {value} of the boolean property {of.name} is neither true nor false.")
    return value.lower()
