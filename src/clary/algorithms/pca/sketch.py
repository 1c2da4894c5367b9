"""What rows come to, for their principal components: nearly, in the memory of a few rows, where features are many.

    sketch + a batch ─▶ leading singular values, each less by the last that is kept ─▶ sketch of as many rows as before

Frequent Directions (Ghashami, Liberty, Phillips, Woodruff, SIAM J. Comput. 2016), whose sketches can be put together;
what it takes off the values is put back in the end (Desai, Ghashami, Phillips 2016). Leading directions are found by
subspace iteration that begins with those so far (Halko, Martinsson, Tropp 2011). The mean is taken off as rows go by,
as by Ross et al., "Incremental learning for robust visual tracking" (2008): a row for the way from the mean so far to
that of those that come.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Arrays, Team

Matrix = NDArray[Any]

EXTRA = 10
"""Directions that are looked for beyond those that are kept, so that those are right."""
ITERATIONS = 3


class Sketch:
    def __init__(self, size: int, features: int, *, centered: bool) -> None:
        """Of `size` directions."""
        self._size = size
        self._centered = centered
        self._rows = 0.0
        self._mean = np.zeros(features)
        self._directions = np.zeros((0, features), np.float32)
        self._taken_off = 0.0

    def add(self, rows: NDArray[np.float32]) -> None:
        mean = rows.mean(axis=0, dtype=np.float64) if self._centered else self._mean
        self._take(len(rows), mean, rows - mean.astype(np.float32))

    def together(self, team: Team) -> None:
        own = {"rows": self._rows, "taken_off": self._taken_off, "mean": self._mean, "directions": self._directions}
        given = team.gather({name: np.asarray(value) for name, value in own.items()})
        self._rows, self._taken_off = 0.0, sum(float(each["taken_off"]) for each in given)
        self._mean, self._directions = np.zeros_like(self._mean), self._directions[:0]
        for each in given:
            if each["rows"]:
                self._take(float(each["rows"]), each["mean"], each["directions"])

    def solve(self, components: int) -> Arrays:
        """As `Moments.solve`."""
        _, values, vectors = np.linalg.svd(self._directions, full_matrices=False)
        found = min(components, len(values))
        missing = components - found
        # Fewer rows than components: the others have nothing to say.
        return {
            "mean": self._mean,
            "v": np.pad(vectors[:found][::-1].T, ((0, 0), (missing, 0))),
            "s": np.pad(np.sqrt(values[:found][::-1] ** 2 + self._taken_off), (missing, 0)),
        }

    def _take(self, rows: float, mean: Matrix, directions: Matrix) -> None:
        """`directions` of so many rows, less their mean."""
        total = self._rows + rows
        way = np.sqrt(self._rows * rows / total) * (mean - self._mean)
        self._mean = self._mean + (mean - self._mean) * rows / total
        self._rows = total
        self._shrink(np.vstack([self._directions, directions, way[None, :].astype(np.float32)]))

    def _shrink(self, directions: Matrix) -> None:
        """Keep the leading directions of so many rows."""
        if len(directions) <= self._size:
            self._directions = directions
            return
        squares, vectors = self._leading(directions)
        kept = squares > squares[0] * 1e-12
        squares, vectors = squares[kept][: self._size], vectors[:, kept][:, : self._size]
        least = float(squares[-1]) if len(squares) == self._size else 0.0
        self._taken_off += least
        lengths = np.sqrt(np.maximum(squares - least, 0))
        self._directions = np.ascontiguousarray((vectors * lengths).T.astype(np.float32))

    def _leading(self, rows: Matrix) -> tuple[Matrix, Matrix]:
        """The largest squared singular values, and their directions as columns."""
        features = rows.shape[1]
        width = min(self._size + EXTRA, features)
        guess = np.random.default_rng(len(rows)).normal(size=(features, width)).astype(np.float32)
        known = self._directions[: width - 1]
        guess[:, : len(known)] = known.T
        basis = np.linalg.qr(guess)[0]
        for _ in range(ITERATIONS):
            basis = np.linalg.qr(rows.T @ (rows @ basis))[0]
        projected = (rows @ basis).astype(np.float64)
        squares, vectors = np.linalg.eigh(projected.T @ projected)
        return squares[::-1], basis @ vectors[:, ::-1]
