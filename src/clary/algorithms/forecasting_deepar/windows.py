"""Series as the network's examples: windows of a context and of what comes after it.

all series, one after the other, each behind enough empty steps
example (series, moment) ─▶ values [lags | context | prediction] ─▶ lagged values of each step, features, scale
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.forecasting_deepar.calendar import Frequency
from clary.algorithms.forecasting_deepar.series import Numbers, Series

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a model looks at, and how far ahead."""

    frequency: Frequency
    context: int
    prediction: int
    scaled: bool = True
    """Values of a beta distribution are not."""

    @property
    def lags(self) -> list[int]:
        return self.frequency.lags()

    @property
    def before(self) -> int:
        """Steps before the first that is predicted."""
        return self.context + self.lags[-1]


@dataclass(frozen=True, slots=True)
class Examples:
    """B windows of S steps each."""

    values: Numbers
    """(B, longest lag + S), scaled; zero where a value is missing."""
    observed: NDArray[np.bool_]
    """(B, S)."""
    target: Numbers
    """(B, S), not scaled."""
    features: Numbers
    """(B, S, features)."""
    scale: Numbers
    """(B,)."""
    categories: Integers
    """(B, categorical features)."""


class Windows:
    """The windows of many series, in memory once."""

    def __init__(self, series: list[Series], plan: Plan) -> None:
        self._plan = plan
        before, after = plan.before, plan.prediction
        self.lengths = np.array([len(each.target) for each in series])
        sizes = self.lengths + before + after
        self._starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64) + before
        self._values = np.full(int(sizes.sum()), np.nan, np.float32)
        parts = []
        for each, start in zip(series, self._starts, strict=True):
            self._values[start : start + len(each.target)] = each.target
            parts.append(_features(each, plan))
        self._features = np.concatenate(parts, axis=1)
        self._categories = np.array([each.categories for each in series], np.int64).reshape(len(series), -1)

    @property
    def width(self) -> int:
        """Features of each step."""
        return len(self._features) + 1

    def choose(self, generator: np.random.Generator) -> tuple[Integers, Integers]:
        """Examples of an epoch, in a random order: of each series as many as its windows, and where each predicts."""
        window = self._plan.context + self._plan.prediction
        chosen = np.repeat(np.arange(len(self.lengths)), np.maximum(1, self.lengths // window))
        generator.shuffle(chosen)
        last = np.maximum(self.lengths - self._plan.prediction, 1)
        first = np.minimum(self._plan.context, last)
        return chosen, generator.integers(first[chosen], last[chosen] + 1)

    def ends(self, back: int = 0) -> tuple[Integers, Integers]:
        """Each series at its end, or `back` steps before it."""
        return np.arange(len(self.lengths)), np.maximum(self.lengths - back, 0)

    def take(self, series: Integers, moments: Integers) -> Examples:
        """Windows of the series whose first predicted step is the moment."""
        plan, steps = self._plan, self._plan.context + self._plan.prediction
        longest = plan.lags[-1]
        first = self._starts[series] + moments - plan.before
        values = self._values[first[:, None] + np.arange(longest + steps)]
        known = np.isfinite(values)
        values = np.where(known, values, 0)
        context = slice(longest, longest + plan.context)
        scale = _scales(values[:, context], known[:, context]) if plan.scaled else np.ones(len(series), np.float32)
        target = values[:, longest:]
        features = self._features[:, first[:, None] + longest + np.arange(steps)].transpose(1, 2, 0)
        # Whether the value before each step is known: it is the network's first input.
        before = known[:, longest - 1 : -1, None].astype(np.float32)
        return Examples(
            (values / scale[:, None]).astype(np.float32),
            known[:, longest:],
            target,
            np.concatenate([features, before], axis=2).astype(np.float32),
            scale,
            self._categories[series],
        )


def lagged(values: Numbers, lags: list[int], first: int, steps: int) -> Numbers:
    """(B, steps, lags) of values whose step 0 stands at `first`."""
    index = first + np.arange(steps)[:, None] - np.array(lags)[None, :]
    taken: Numbers = values[:, index]
    return taken


def _scales(values: Numbers, known: NDArray[np.bool_]) -> Numbers:
    """The mean size of what is known; 1 where nothing is, or all of it is zero."""
    count = np.maximum(known.sum(axis=1), 1)
    means = np.abs(values).sum(axis=1) / count
    scales: Numbers = np.where(means > 1e-8, means, 1).astype(np.float32)
    return scales


def _features(series: Series, plan: Plan) -> Numbers:
    """(features, steps) of all steps, the empty ones before and after included."""
    steps = len(series.target) + plan.before + plan.prediction
    calendar = plan.frequency.features(plan.frequency.moments(series.start, -plan.before, steps))
    age = np.log10(2 + np.maximum(np.arange(-plan.before, steps - plan.before), 0))[None, :]
    rows = [calendar, age]
    if series.dynamic is not None:
        dynamic = np.zeros((len(series.dynamic), steps), np.float32)
        # Those of a training series end where its target does.
        given = series.dynamic[:, : steps - plan.before]
        dynamic[:, plan.before : plan.before + given.shape[1]] = given
        rows.append(dynamic)
    return np.concatenate(rows).astype(np.float32)
