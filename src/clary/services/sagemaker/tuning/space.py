"""Search spaces: from the ranges of a request to what Optuna samples, and from its values to hyperparameters' texts.

Scales are those of "Hyperparameter Scaling" in AWS's guide. Reverse logarithmic, for values from 0 to below 1, samples
1 - x on a logarithmic scale. Auto, for which AWS names no rule, is logarithmic from a hundredfold span on.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

Kind = Literal["integer", "continuous", "categorical"]
Scale = Literal["Linear", "Logarithmic", "ReverseLogarithmic"]
Value = int | float | str

WIDE = 100.0
"""High through low from which on `Auto` is logarithmic."""
HINT_INTEGER, HINT_FLOAT = 4, 10
"""An autotuned parameter's range goes from its hint divided by this to its hint times this."""
SWITCHES = (("true", "false"), ("True", "False"), ("0", "1"))


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    kind: Kind
    low: float = 0.0
    high: float = 0.0
    scale: Scale = "Linear"
    values: tuple[str, ...] = ()

    def distribution(self) -> BaseDistribution:
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.kind == "categorical":
            return CategoricalDistribution(self.values)
        if self.kind == "integer":
            return IntDistribution(int(self.low), int(self.high), log=self.scale == "Logarithmic")
        if self.scale == "ReverseLogarithmic":
            return FloatDistribution(1 - self.high, 1 - self.low, log=True)
        return FloatDistribution(self.low, self.high, log=self.scale == "Logarithmic")

    def text(self, sampled: Value) -> str:
        """The hyperparameter's text of a value that Optuna gave."""
        if self.kind == "continuous":
            value = float(sampled)
            return repr(min(max(1 - value, self.low), self.high) if self.scale == "ReverseLogarithmic" else value)
        return str(sampled)

    def sampled(self, text: str) -> Value | None:
        """The value that Optuna would have given for this text; None where the space does not hold it."""
        if self.kind == "categorical":
            return text if text in self.values else None
        try:
            value = float(text)
        except ValueError:
            return None
        if not self.low <= value <= self.high:
            return None
        if self.kind == "integer":
            return int(value)
        return min(max(1 - value, 1 - self.high), 1 - self.low) if self.scale == "ReverseLogarithmic" else value


def parameters(ranges: dict[str, Any]) -> list[Parameter]:
    """The space of `ParameterRanges`. Raises `ValueError` with the words for the user."""
    found = [_numeric(each, "integer") for each in ranges.get("IntegerParameterRanges", [])]
    found += [_numeric(each, "continuous") for each in ranges.get("ContinuousParameterRanges", [])]
    found += [
        Parameter(each["Name"], "categorical", values=tuple(dict.fromkeys(each["Values"])))
        for each in ranges.get("CategoricalParameterRanges", [])
    ]
    found += [_hinted(each["Name"], each["ValueHint"]) for each in ranges.get("AutoParameters", [])]
    names = [each.name for each in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise ValueError(f"The hyperparameter {twice} has more than one range.")
    return found


def size(space: Sequence[Parameter]) -> int:
    """How many combinations a space of categories has."""
    return math.prod(len(each.values) for each in space)


def combination(space: Sequence[Parameter], number: int) -> dict[str, str]:
    """The combination of that number, from 0 on: the last parameter changes first."""
    chosen: dict[str, str] = {}
    for each in reversed(space):
        number, index = divmod(number, len(each.values))
        chosen[each.name] = each.values[index]
    return chosen


def _numeric(given: dict[str, str], kind: Kind) -> Parameter:
    name, scale = given["Name"], given.get("ScalingType", "Auto")
    try:
        low, high = float(given["MinValue"]), float(given["MaxValue"])
    except ValueError:
        raise ValueError(f"MinValue and MaxValue of the hyperparameter {name} must be numbers.") from None
    if not (math.isfinite(low) and math.isfinite(high)):
        raise ValueError(f"MinValue and MaxValue of the hyperparameter {name} must be finite numbers.")
    if kind == "integer" and not (low.is_integer() and high.is_integer()):
        raise ValueError(f"MinValue and MaxValue of the hyperparameter {name} must be integers.")
    if low >= high:
        raise ValueError(f"MinValue of the hyperparameter {name} must be less than its MaxValue.")
    if scale == "Logarithmic" and low <= 0:
        raise ValueError(f"The hyperparameter {name} with ScalingType Logarithmic must have a MinValue above 0.")
    if scale == "ReverseLogarithmic" and (kind == "integer" or low < 0 or high >= 1):
        raise ValueError(
            f"The hyperparameter {name} with ScalingType ReverseLogarithmic must be continuous and lie in [0, 1)."
        )
    chosen: Scale = _auto(low, high) if scale == "Auto" else scale  # type: ignore[assignment]
    return Parameter(name, kind, low, high, chosen)


def _auto(low: float, high: float) -> Scale:
    return "Logarithmic" if low > 0 and high / low >= WIDE else "Linear"


def _hinted(name: str, hint: str) -> Parameter:
    """A range around an example of a value."""
    for values in SWITCHES[:2]:
        if hint in values:
            return Parameter(name, "categorical", values=values)
    try:
        value = float(hint)
    except ValueError:
        return Parameter(name, "categorical", values=(hint,))
    if "." not in hint and "e" not in hint.lower() and value >= 1:
        return Parameter(name, "integer", max(1, value // HINT_INTEGER), value * HINT_INTEGER, "Logarithmic")
    if value <= 0 or not math.isfinite(value):
        return Parameter(name, "categorical", values=SWITCHES[2] if hint == "0" else (hint,))
    # What lies between 0 and 1 is a share or a probability, and has no meaning beyond.
    high = min(value * HINT_FLOAT, 1.0) if value < 1 else value * HINT_FLOAT
    return Parameter(name, "continuous", value / HINT_FLOAT, high, "Logarithmic")
