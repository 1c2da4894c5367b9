"""Hyperparameters as a built-in algorithm documents them: type, range, what they depend on.

{"eta": "0.2", …} → validate → {"eta": 0.2, …}, or `UserError` in the words of AWS's images
"""

import ast
import json
import math
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from clary.algorithms.errors import UserError
from clary.toolkits.environment import PLATFORM_PREFIX

Check = Callable[[Any, Mapping[str, Any]], None]
"""Given a value and all parsed values; raises `UserError` where they do not go together."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of numbers, written as in the messages: `(0, 1]`, `[1, +inf)`."""

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, int | float)
        if not math.isfinite(value):
            return False
        above = value > self.low if self.low_open else value >= self.low
        return above and (value < self.high if self.high_open else value <= self.high)

    def __str__(self) -> str:
        low = "(-inf" if math.isinf(self.low) else f"{'(' if self.low_open else '['}{self.low:g}"
        high = "+inf)" if math.isinf(self.high) else f"{self.high:g}{')' if self.high_open else ']'}"
        return f"{low}, {high}"


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    name: str
    parse: Callable[[str], Any]
    """From the request's string; raises `ValueError`."""
    values: Container[Any]
    """What is allowed; of a list, what its elements may be."""
    required: bool = False
    check: Check | None = None
    alias: str = ""
    default: Any = None

    def elements(self, value: Any) -> list[Any]:
        """The values that must be allowed: of a list all of it, of a nested list all in it."""
        if not isinstance(value, list | tuple):
            return [value]
        return [inner for element in value for inner in self.elements(element)]


def integer(name: str, values: Interval, *, required: bool = False, check: Check | None = None) -> Hyperparameter:
    return Hyperparameter(name, int, values, required=required, check=check)


def continuous(name: str, values: Interval, *, alias: str = "") -> Hyperparameter:
    return Hyperparameter(name, float, values, alias=alias)


def category(name: str, values: Container[str], check: Check | None = None) -> Hyperparameter:
    return Hyperparameter(name, str, values, check=check)


def comma_separated(name: str, values: Container[str], check: Check | None = None) -> Hyperparameter:
    return Hyperparameter(name, lambda text: [part.strip() for part in text.split(",")], values, check=check)


def literal(name: str, values: Container[Any], check: Check | None = None) -> Hyperparameter:
    """A Python literal: `(1, -1)` or `[[0, 1], [2, 3]]`."""
    return Hyperparameter(name, _literal, values, check=check)


def validate(known: Sequence[Hyperparameter], given: Mapping[str, str]) -> dict[str, Any]:
    """Parsed values by name, aliases resolved; raises `UserError` at the first that is wrong."""
    table = {parameter.name: parameter for parameter in known}
    table |= {parameter.alias: parameter for parameter in known if parameter.alias}
    parsed: dict[str, Any] = {}
    for name, text in given.items():
        if name.startswith(PLATFORM_PREFIX):
            continue
        if name not in table:
            raise UserError(f"Extraneous hyperparameter found: {name}")
        parsed[table[name].name] = _parse(table[name], text)
    for parameter in known:
        if parameter.required and parameter.name not in parsed:
            raise UserError(f"Missing required hyperparameter: {parameter.name}")
    for name, value in parsed.items():
        _require_allowed(table[name], value)
    for name, value in parsed.items():
        check = table[name].check
        if check is not None:
            check(value, parsed)
    return parsed


def _parse(parameter: Hyperparameter, text: str) -> Any:
    try:
        return parameter.parse(json.loads(text) if text.startswith('"') else text)
    except (ValueError, SyntaxError) as error:
        kind = type(error).__name__
        raise UserError(f"Hyperparameter {parameter.name}: could not parse value (caused by {kind})") from error


def _literal(text: str) -> Any:
    value = ast.literal_eval(text)
    if not isinstance(value, list | tuple):
        raise ValueError(f"{text!r} is no list")
    return value


def _require_allowed(parameter: Hyperparameter, value: Any) -> None:
    if all(element in parameter.values for element in parameter.elements(value)):
        return
    if isinstance(value, list | tuple):
        raise UserError(f"Hyperparameter {parameter.name}: value {value} not in range {parameter.values}")
    raise UserError(f"Hyperparameter {parameter.name}: {value} is not in {parameter.values}")
