"""Hyperparameters of AWS's own algorithms: declared, and settled in AWS's words.

    {"k": "10", …} ─ settle ─▶ {"k": 10, "epochs": 1, …}: typed, with all defaults, or `UserError`

Names that begin with an underscore are AWS's own (`_kvstore`, `_tuning_objective_metric`), and mean nothing where an
algorithm does not declare them. AWS's words are those of its algorithms' own kit, of which a copy is public: see
`ConfigValidator` in `src/vw-serving` of github.com/aws/sagemaker-rl-container. What is allowed is told more exactly.
"""

import json
from collections.abc import Container, Mapping, Sequence
from typing import Any

from clary.algorithms.errors import UserError
from clary.algorithms.hyperparameters import Check, Hyperparameter, Interval
from clary.toolkits.environment import PLATFORM_PREFIX

AUTO = "auto"
POSITIVE = Interval(1)
CAUSED = "(caused by ValidationError)"
LARGEST = 1 << 53
"""Of the integers, which a float holds all."""


class _OneOf:
    """Texts, listed in messages."""

    def __init__(self, *texts: str) -> None:
        self.texts = texts

    def __contains__(self, value: object) -> bool:
        return value in self.texts

    def __str__(self) -> str:
        return f"one of the following: {', '.join(map(repr, self.texts))}"


class _OrAuto:
    """`auto`, or what else is allowed."""

    def __init__(self, values: Container[Any]) -> None:
        self.values = values

    def __contains__(self, value: object) -> bool:
        return value == AUTO or value in self.values

    def __str__(self) -> str:
        return f"one of the following: {AUTO!r}; or {self.values}"


def integer(
    name: str,
    values: Interval = POSITIVE,
    *,
    default: int | str | None = None,
    required: bool = False,
    check: Check | None = None,
) -> Hyperparameter:
    """With the default `auto` the user may say so, too."""
    return _number(name, _integer, values, default, required, check)


def continuous(
    name: str,
    values: Interval,
    *,
    default: float | str | None = None,
    required: bool = False,
    check: Check | None = None,
) -> Hyperparameter:
    return _number(name, float, values, default, required, check)


def category(
    name: str, *values: str, default: str | None = None, required: bool = False, check: Check | None = None
) -> Hyperparameter:
    return Hyperparameter(name, str, _OneOf(*values), required=required, check=check, default=default)


def boolean(name: str, *, default: bool | str | None = None, required: bool = False) -> Hyperparameter:
    """True or False, and `auto` where that is the default."""
    auto = default == AUTO
    values: Container[Any] = _OneOf("true", "false", *([AUTO] if auto else []))
    return Hyperparameter(name, lambda text: _boolean(text, auto), values, required=required, default=default)


def subset(name: str, *values: str, default: Sequence[str] = (), required: bool = False) -> Hyperparameter:
    """A JSON list of some of the values."""
    return Hyperparameter(name, _list, _OneOf(*values), required=required, default=list(default))


def text(name: str, *, default: str | None = None, required: bool = False) -> Hyperparameter:
    return Hyperparameter(name, str, _Anything(), required=required, default=default)


class _Anything:
    def __contains__(self, value: object) -> bool:
        return True


def settle(known: Sequence[Hyperparameter], given: Mapping[str, str]) -> dict[str, Any]:
    """All values by name; of one that was not given its default, which may be None. Raises `UserError`."""
    table = {parameter.name: parameter for parameter in known}
    given = {name: text for name, text in given.items() if name in table or not name.startswith(("_", PLATFORM_PREFIX))}
    if strange := [name for name in given if name not in table]:
        verb = "was" if len(strange) == 1 else "were"
        names = ", ".join(map(repr, strange))
        raise UserError(f"Additional hyperparameters are not allowed ({names} {verb} unexpected) {CAUSED}")
    if missing := [parameter.name for parameter in known if parameter.required and parameter.name not in given]:
        names = ", ".join(map(repr, missing))
        raise UserError(f"No value(s) were specified for {names} which are required hyperparameter(s) {CAUSED}")
    values = {
        name: _value(parameter, given[name]) if name in given else parameter.default
        for name, parameter in table.items()
    }
    for name, parameter in table.items():
        if parameter.check is not None and name in given:
            parameter.check(values[name], values)
    return values


def refuse(name: str, value: object, does: str) -> UserError:
    """What it `does` is to expect something, or to accept one of the following: …"""
    return UserError(
        f"The value '{value}' is not valid for the {name!r} hyperparameter which {does} {CAUSED}\n\n"
        f"Caused by: '{value}' is not a valid value for {name!r}"
    )


def _value(parameter: Hyperparameter, given: str) -> Any:
    try:
        # The SDK encodes some of its values as JSON.
        value = parameter.parse(json.loads(given) if given.startswith('"') else given)
    except json.JSONDecodeError as error:
        raise UserError(f"Hyperparameter must be valid json, but found {parameter.name}: {given} {error}") from error
    except ValueError as error:
        raise refuse(parameter.name, given, _does(parameter)) from error
    allowed = parameter.values
    for element in parameter.elements(value):
        if (str(element).lower() if isinstance(element, bool) else element) not in allowed:
            raise refuse(parameter.name, given, _does(parameter))
    return value


def _does(parameter: Hyperparameter) -> str:
    verb = "accepts" if isinstance(parameter.values, _OneOf) else "expects"
    return f"{verb} {'an integer in ' if parameter.parse is _integer else ''}{parameter.values}"


def _number(
    name: str, parse: Any, values: Interval, default: Any, required: bool, check: Check | None
) -> Hyperparameter:
    if default != AUTO:
        return Hyperparameter(name, parse, values, required=required, check=check, default=default)

    def parse_or_auto(given: str) -> Any:
        return AUTO if given == AUTO else parse(given)

    return Hyperparameter(name, parse_or_auto, _OrAuto(values), required=required, check=check, default=default)


def _integer(given: str) -> int:
    number = float(given)  # The tuner and the SDK may write 10.0.
    if not number.is_integer() or abs(number) > LARGEST:
        raise ValueError(f"{given} is no integer")
    return int(number)


def _boolean(given: str, auto: bool) -> bool | str:
    word = given.lower()
    if word == AUTO and auto:
        return AUTO
    if word not in ("true", "false", "1", "0"):
        raise ValueError(f"{given} is neither true nor false")
    return word in ("true", "1")


def _list(given: str) -> list[Any]:
    values = json.loads(given)
    return values if isinstance(values, list) else [values]
