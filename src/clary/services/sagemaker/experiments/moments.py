"""What is told of a metric's values: how many, their bounds, mean and deviation, the last of them.

Values are added one by one, in Welford's way (Knuth, TAOCP 2, 4.2.2), so that none needs to be kept for it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Moments:
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0
    """The sum of the squares of the distances from the mean."""
    minimum: float = math.inf
    maximum: float = -math.inf
    last: float = 0.0
    at: float = 0.0
    """Epoch seconds of the last."""

    @classmethod
    def of(cls, values: Iterable[tuple[float, float]]) -> "Moments":
        """Of `(epoch seconds, value)`."""
        moments = cls()
        for at, value in values:
            moments.add(at, value)
        return moments

    def add(self, at: float, value: float) -> None:
        self.count += 1
        distance = value - self.mean
        self.mean += distance / self.count
        self.squares += distance * (value - self.mean)
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        if at >= self.at:
            self.last, self.at = value, at

    def summary(self, name: str, source_arn: str) -> dict[str, Any]:
        """`TrialComponentMetricSummary`"""
        return {
            "MetricName": name,
            "SourceArn": source_arn,
            "TimeStamp": self.at,
            "Max": self.maximum,
            "Min": self.minimum,
            "Last": self.last,
            "Count": self.count,
            "Avg": self.mean,
            "StdDev": math.sqrt(self.squares / self.count),
        }
