"""Rows of numbers that differ in length, on their way into a network: batches are made of thousands at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Ragged:
    values: NDArray[np.int32]
    """Of all rows, one after another."""
    starts: Numbers
    lengths: Numbers

    @classmethod
    def of(cls, rows: Iterable[Numbers]) -> "Ragged":
        """Of numbers below 2^31."""
        held = list(rows)
        lengths = np.fromiter(map(len, held), np.int64, len(held))
        values = np.concatenate(held, dtype=np.int32, casting="unsafe") if held else np.empty(0, np.int32)
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    def row(self, number: int) -> Numbers:
        start = self.starts[number]
        return self.values[start : start + self.lengths[number]].astype(np.int64)

    def padded(self, chosen: Numbers | slice, pad: int) -> Numbers:
        """(rows, the longest's length): those of that number, `pad` after the end of the shorter ones."""
        lengths = self.lengths[chosen]
        places = np.arange(lengths.max(initial=0))
        known = places < lengths[:, None]
        found = np.full(known.shape, pad, np.int64)
        found[known] = self.values[(self.starts[chosen][:, None] + places)[known]]
        return found
