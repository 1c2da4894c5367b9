"""Frequencies of time series: their steps, the features of their moments, and the lags that are worth a look.

Features and lags are those that AWS documents for each basic frequency, and that GluonTS takes: a few steps back, and
the neighbourhood of one, two and more days, weeks or years back.
"""

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NAME = re.compile(r"^(?P<multiple>[1-9]\d*)?(?P<unit>M|W|D|H|min)$")
MINUTES = {"min": 1, "H": 60, "D": 24 * 60, "W": 7 * 24 * 60}
FEATURES = {
    "min": ("minute", "hour", "weekday", "day", "yearday"),
    "H": ("hour", "weekday", "day", "yearday"),
    "D": ("weekday", "day", "yearday"),
    "W": ("day", "week"),
    "M": ("month",),
}
NEAREST = 7
FARTHEST = 1200
"""Lags beyond this would make examples long and say little."""

Moments = NDArray[np.datetime64]


@dataclass(frozen=True, slots=True)
class Frequency:
    unit: str
    multiple: int = 1

    @classmethod
    def of(cls, name: str) -> "Frequency | None":
        """Of `5min`, `H`, `1D`; None for what is none."""
        match = NAME.match(name)
        return cls(match["unit"], int(match["multiple"] or 1)) if match else None

    def moments(self, start: np.datetime64, first: int, count: int) -> Moments:
        """Steps `first` to `first + count` of a series that starts at `start`."""
        steps = np.arange(first, first + count) * self.multiple
        if self.unit == "M":
            months: Moments = (start.astype("datetime64[M]") + steps).astype("datetime64[m]")
            return months
        minutes: Moments = start.astype("datetime64[m]") + steps * MINUTES[self.unit]
        return minutes

    def features(self, moments: Moments) -> NDArray[np.float32]:
        """(features, steps), each between -0.5 and 0.5."""
        day = moments.astype("datetime64[D]")
        month = moments.astype("datetime64[M]")
        yearday = (day - moments.astype("datetime64[Y]")).astype(int)
        minute = moments.astype(int)
        table = {
            "minute": minute % 60 / 59,
            "hour": minute // 60 % 24 / 23,
            "weekday": (day.astype(int) + 3) % 7 / 6,  # 1970 began on a Thursday.
            "day": (day - month).astype(int) / 30,
            "yearday": yearday / 365,
            "week": yearday // 7 / 52,
            "month": month.astype(int) % 12 / 11,
        }
        return np.stack([table[name] for name in FEATURES[self.unit]]).astype(np.float32) - np.float32(0.5)

    def lags(self) -> list[int]:
        """Steps back, ascending; the first is 1."""
        if self.unit == "M":
            found = _around(12 / self.multiple, 3, 1)
        else:
            step = self.multiple * MINUTES[self.unit]
            found = [
                *_around(60 / step, 3, 2),
                *_around(24 * 60 / step, 7, 1),
                *_around(7 * 24 * 60 / step, 4, 1),
                *_around(30 * 24 * 60 / step, 1, 1),
                *_around(364 * 24 * 60 / step, 3, 1),
            ]
        near = range(1, NEAREST + 1)
        return [*near, *sorted({lag for lag in found if NEAREST < lag <= FARTHEST})]


def _around(cycle: float, cycles: int, width: int) -> list[int]:
    """The steps around one, two … cycles back, where a cycle has more than a step."""
    if cycle < 2:
        return []
    middles = [round(cycle * number) for number in range(1, cycles + 1)]
    return [middle + offset for middle in middles for offset in range(-width, width + 1)]
