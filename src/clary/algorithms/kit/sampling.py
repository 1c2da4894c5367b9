"""A fair sample of rows that go by, in the memory that the sample takes.

Each row gets a random key, and those with the smallest keys are kept: samples of several instances are put together by
keeping the smallest of all.
"""

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Team

Rows = NDArray[np.float32]


class Sample:
    def __init__(self, size: int, random: np.random.Generator) -> None:
        """Of at most `size` rows. `random` must differ between instances."""
        self.size = size
        self.seen = 0
        self._random = random
        self._kept: list[tuple[NDArray[np.float64], Rows]] = []
        self._held = 0
        self._limit = np.inf
        """A row with a greater key is none of the smallest."""

    def add(self, rows: Rows) -> None:
        keys = self._random.random(len(rows))
        self.seen += len(rows)
        taken = keys < self._limit
        self._put(keys[taken], rows[taken])
        if self._held >= 2 * self.size:
            self._prune()

    def together(self, team: Team) -> Rows:
        """The sample of all instances' rows, in an order that says nothing but is not random, on all of them."""
        self._prune()
        keys, rows = self._kept[0] if self._kept else (np.empty(0), np.empty((0, 0), np.float32))
        if team.size == 1:
            return rows
        given = team.gather({"keys": keys, "rows": rows, "seen": np.array(self.seen)})
        self.seen = sum(int(each["seen"]) for each in given)
        self._kept, self._held, self._limit = [], 0, np.inf
        for each in given:
            if len(each["keys"]):
                self._put(each["keys"], each["rows"])
        self._prune()
        return self._kept[0][1] if self._kept else rows

    def _put(self, keys: NDArray[np.float64], rows: Rows) -> None:
        if len(keys):
            self._kept.append((keys, rows))
            self._held += len(keys)

    def _prune(self) -> None:
        if not self._kept:
            return
        keys = np.concatenate([keys for keys, _ in self._kept])
        rows = np.concatenate([rows for _, rows in self._kept])
        if len(keys) > self.size:
            smallest = np.argpartition(keys, self.size)[: self.size]
            keys, rows = keys[smallest], rows[smallest]
        self._kept, self._held = [(keys, rows)], len(keys)
        if len(keys) == self.size:
            self._limit = float(keys.max())
