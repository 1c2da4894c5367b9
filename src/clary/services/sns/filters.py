"""Filter policies: which messages a subscription is for, by their attributes.

    {"kind": ["alarm", {"prefix": "warn"}], "score": [{"numeric": [">=", 0.5]}]}

All names must fit, each by one of its conditions. Source: "Amazon SNS subscription filter policies" of the developer
guide.
"""

import operator
from collections.abc import Callable
from typing import Any

import orjson

from clary.services.sns.errors import invalid, not_built

Values = list[Any]
"""Of one attribute: a text, a number, or what an array of them holds."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TEXTS: dict[str, Callable[[str, str], bool]] = {
    "prefix": str.startswith,
    "suffix": str.endswith,
    "equals-ignore-case": lambda value, wanted: value.casefold() == wanted.casefold(),
}


def checked_filter(text: str) -> str:
    """What a subscription sets as its `FilterPolicy`; one that holds what is not built is refused."""
    try:
        policy = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise invalid("FilterPolicy", f"failed to parse JSON: {error}") from None
    if not isinstance(policy, dict):
        raise invalid("FilterPolicy", "Filter policy must be an object")
    for name, conditions in policy.items():
        if name == "$or":
            raise not_built("FilterPolicy", "$or")
        if not isinstance(conditions, list) or not conditions:
            raise invalid("FilterPolicy", f'"{name}" must be an object or an array')
        for condition in conditions:
            _check(name, condition)
    return text


def _check(name: str, condition: Any) -> None:
    if not isinstance(condition, dict):
        if isinstance(condition, list):
            raise invalid("FilterPolicy", f"Match value of {name} must be String, number, true, false, or null")
        return
    if len(condition) != 1:
        raise invalid("FilterPolicy", f"Only one key allowed in match expression of {name}")
    [(kind, wanted)] = condition.items()
    if kind in _TEXTS:
        if not isinstance(wanted, str):
            raise invalid("FilterPolicy", f"{kind} match pattern of {name} must be a string")
    elif kind == "numeric":
        _check_numeric(name, wanted)
    elif kind == "anything-but":
        if isinstance(wanted, dict):
            _check(name, wanted)
    elif kind == "exists":
        if not isinstance(wanted, bool):
            raise invalid("FilterPolicy", f"exists match pattern of {name} must be either true or false.")
    else:
        raise not_built("FilterPolicy", f"The condition {kind!r} of {name}")


def _check_numeric(name: str, wanted: Any) -> None:
    pairs = isinstance(wanted, list) and wanted and len(wanted) % 2 == 0
    if not pairs or not all(
        sign in _COMPARE and isinstance(number, int | float)
        for sign, number in zip(wanted[::2], wanted[1::2], strict=True)
    ):
        raise invalid("FilterPolicy", f"The numeric match of {name} must be operators, each with a number")


def fits(policy: dict[str, Any], attributes: dict[str, dict[str, Any]]) -> bool:
    """Whether a message with these attributes (as SNS takes them) is for a subscription with this policy."""
    return all(
        any(_holds(condition, _values(attributes[name]) if name in attributes else None) for condition in conditions)
        for name, conditions in policy.items()
    )


def _values(attribute: dict[str, Any]) -> Values:
    kind, text = attribute["DataType"], attribute.get("StringValue")
    if text is None:
        return []  # no condition is for binary values
    if kind == "Number":
        return [float(text)]
    if kind == "String.Array":
        found = orjson.loads(text)
        return found if isinstance(found, list) else [found]
    return [text]


def _holds(condition: Any, values: Values | None) -> bool:
    """`values` is None where the message has no such attribute."""
    if isinstance(condition, dict) and "exists" in condition:
        return condition["exists"] is (values is not None)
    return values is not None and any(_passes(condition, value) for value in values)


def _passes(condition: Any, value: Any) -> bool:
    if not isinstance(condition, dict):
        return _equal(condition, value)
    [(kind, wanted)] = condition.items()
    if kind in _TEXTS:
        return isinstance(value, str) and _TEXTS[kind](value, wanted)
    if kind == "numeric":
        pairs = zip(wanted[::2], wanted[1::2], strict=True)
        return _is_number(value) and all(_COMPARE[sign](value, number) for sign, number in pairs)
    if isinstance(wanted, list):
        return not any(_equal(each, value) for each in wanted)
    return not (_passes(wanted, value) if isinstance(wanted, dict) else _equal(wanted, value))


def _equal(wanted: Any, value: Any) -> bool:
    return bool(wanted == value) and isinstance(wanted, bool) is isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
