"""From samples to one number a period.

    samples ──by_period──▶ {start of period: samples} ──statistic──▶ Average, Sum, p99 …

Periods are counted from the start of the request, rounded down as the documentation of GetMetricData says.
"""

import re
import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from clary.records.metrics import Sample
from clary.services.cloudwatch.errors import bad_value

MINUTE = 60
DAY = 24 * 3600
HIGH_RESOLUTION = (1, 5, 10, 20, 30)
"""Periods below a minute that there are."""

_PERCENTILE = re.compile(r"p(\d{1,2}(?:\.\d{1,10})?|100)")


def check_period(period: int) -> None:
    if period % MINUTE and period not in HIGH_RESOLUTION:
        raise bad_value("The parameter Period must be 1, 5, 10, 20, 30, or a multiple of 60.")


def check_statistic(name: str) -> None:
    if name not in _STATISTICS and not _PERCENTILE.fullmatch(name):
        raise bad_value(
            f"The statistic {name} is not valid, or not built in Clary yet: it knows {', '.join(_STATISTICS)} and "
            "percentiles (p0 to p100)."
        )


def first_period(start: float, period: int) -> float:
    """Where the first period of a request begins."""
    age = time.time() - start
    grain = min(period, MINUTE) if age < 15 * DAY else 5 * MINUTE if age < 63 * DAY else 60 * MINUTE
    return start - start % grain


def by_period(samples: Sequence[Sample], origin: float, period: int) -> dict[float, list[Sample]]:
    """Periods without samples are left out."""
    periods: defaultdict[float, list[Sample]] = defaultdict(list)
    for sample in samples:
        periods[origin + (sample.at - origin) // period * period].append(sample)
    return dict(periods)


def statistic(name: str, samples: Sequence[Sample]) -> float | None:
    """None where it cannot be known: percentiles of samples of which only the bounds were reported."""
    if name in _STATISTICS:
        return _STATISTICS[name](samples)
    return _percentile(float(name[1:]), samples)


def _count(samples: Sequence[Sample]) -> float:
    return sum(sample.count for sample in samples)


def _sum(samples: Sequence[Sample]) -> float:
    return sum(sample.sum for sample in samples)


def _percentile(percent: float, samples: Sequence[Sample]) -> float | None:
    """The smallest value that is not below `percent` of all (nearest rank)."""
    if any(sample.minimum != sample.maximum or sample.minimum < 0 for sample in samples):
        return None
    ordered = sorted(samples, key=lambda sample: sample.minimum)
    rank = percent / 100 * _count(samples)
    reached = 0.0
    for sample in ordered:
        reached += sample.count
        if reached >= rank:
            return sample.minimum
    return ordered[-1].minimum


_STATISTICS: dict[str, Callable[[Sequence[Sample]], float]] = {
    "SampleCount": _count,
    "Average": lambda samples: _sum(samples) / _count(samples),
    "Sum": _sum,
    "Minimum": lambda samples: min(sample.minimum for sample in samples),
    "Maximum": lambda samples: max(sample.maximum for sample in samples),
}
