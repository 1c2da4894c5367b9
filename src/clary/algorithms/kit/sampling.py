"""A fair sample of rows that go by, in the memory that the sample takes.

    row ─▶ a random key ─▶ less than all that were dropped ─▶ behind the sample ─ an eighth more ─▶ back to its size

Each row gets a random key, and those with the smallest keys are kept: samples of several instances are put together by
keeping the smallest of all.
"""

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Team

Rows = NDArray[np.float32]
MORE = 8
"""One of so many rows more than the sample has are held before it is brought back to its size."""


class Sample:
    def __init__(self, size: int, random: np.random.Generator) -> None:
        """Of at most `size` rows. `random` must differ between instances."""
        self.size = size
        self._random = random
        self._keys = np.empty(0)
        self._rows: Rows = np.empty((0, 0), np.float32)
        self._held = 0
        """Rows that are kept, the first ones of the arrays."""
        self._limit = np.inf
        """A row with a greater key is none of the smallest."""

    def add(self, rows: Rows) -> None:
        keys = self._random.random(len(rows))
        taken = keys < self._limit
        end = self._held + int(taken.sum())
        self._make_room(end, rows.shape[1])
        self._keys[self._held : end], self._rows[self._held : end] = keys[taken], rows[taken]
        self._held = end
        if end >= self.size + self.size // MORE:
            self._prune()

    def together(self, team: Team) -> Rows:
        """The sample of all instances' rows, in an order that says nothing but is not random, on all of them."""
        self._prune()
        keys, rows = self._keys[: self._held], self._rows[: self._held]
        if team.size == 1:
            return rows
        given = [each for each in team.gather({"keys": keys, "rows": rows}) if len(each["keys"])]
        if not given:
            return rows
        smallest = np.argsort(np.concatenate([each["keys"] for each in given]))[: self.size]
        every: Rows = np.concatenate([each["rows"] for each in given])[smallest]
        return every

    def _make_room(self, rows: int, width: int) -> None:
        """Where the arrays lie: what grows by small steps is hardly ever copied, since the system moves its pages."""
        if rows > len(self._keys):
            rows = max(rows, len(self._keys) + len(self._keys) // MORE)
            self._keys.resize(rows, refcheck=False)
            self._rows.resize((rows, width), refcheck=False)

    def _prune(self) -> None:
        if self._held < self.size:
            return
        keys = self._keys[: self._held]
        stays = np.zeros(len(keys), bool)
        stays[np.argpartition(keys, self.size - 1)[: self.size]] = True
        # Those behind take the places of those that go.
        going, coming = np.flatnonzero(~stays[: self.size]), self.size + np.flatnonzero(stays[self.size :])
        self._keys[going], self._rows[going] = self._keys[coming], self._rows[coming]
        self._held = self.size
        self._limit = float(self._keys[: self.size].max())
