"""How long something took, many times: in little memory, and mergeable."""

import math
from collections import Counter
from dataclasses import dataclass, field

FINENESS = 25
"""Values are kept apart where they differ by a factor of more than e^(1/25), which is 4 %."""


@dataclass(slots=True)
class Distribution:
    """Durations in microseconds: their sum and bounds exactly, each of them to 4 %."""

    count: int = 0
    sum: float = 0.0
    minimum: float = math.inf
    maximum: float = 0.0
    classes: Counter[int] = field(default_factory=Counter)

    def add(self, seconds: float) -> None:
        value = seconds * 1e6 if seconds > 0 else 0.0
        self.count += 1
        self.sum += value
        if value < self.minimum:
            self.minimum = value
        if value > self.maximum:
            self.maximum = value
        self.classes[int(math.log(value + 1.0) * FINENESS)] += 1

    def merge(self, other: "Distribution") -> None:
        self.count += other.count
        self.sum += other.sum
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.classes += other.classes

    def values(self) -> dict[float, int]:
        """How often about which value came; for percentiles."""
        return {math.exp((number + 0.5) / FINENESS) - 1.0: count for number, count in sorted(self.classes.items())}
