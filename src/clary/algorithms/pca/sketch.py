"""What rows come to, for their principal components: nearly, in the memory of a few rows, where features are many.

    sketch + a batch ─▶ leading singular values, each less by the last that is kept ─▶ sketch of as many rows as before

Frequent Directions (Ghashami, Liberty, Phillips, Woodruff, SIAM J. Comput. 2016), whose sketches can be put together;
what it takes off the values is put back in the end (Desai, Ghashami, Phillips 2016). Leading directions are found by
subspace iteration that begins with those so far (Halko, Martinsson, Tropp 2011). The mean is taken off as rows go by,
as by Ross et al., "Incremental learning for robust visual tracking" (2008): a row for the way from the mean so far to
that of those that come. Rows themselves are not copied: their mean is taken off what they come to.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Arrays, Team
from clary.algorithms.pca.moments import far_from_zero

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
        if not self._centered:
            self._take(len(rows), self._mean, rows)
            return
        origin = far_from_zero(rows)
        shifted = rows - origin.astype(np.float32) if origin.any() else rows
        mean = (np.ones(len(rows), np.float32) @ shifted / np.float32(len(rows))).astype(np.float64)
        self._take(len(rows), mean + origin, shifted, mean)

    def together(self, team: Team) -> None:
        if team.size == 1:
            return
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

    def _take(self, rows: float, mean: Matrix, directions: Matrix, less: Matrix | None = None) -> None:
        """`directions` of so many rows with that mean, which `less` is still to be taken off."""
        total = self._rows + rows
        way = np.sqrt(self._rows * rows / total) * (mean - self._mean)
        self._mean = self._mean + (mean - self._mean) * rows / total
        self._rows = total
        known = np.vstack([self._directions, way[None, :].astype(np.float32)])
        self._shrink(known, directions, np.zeros(len(mean), np.float32) if less is None else less.astype(np.float32))

    def _shrink(self, known: Matrix, rows: Matrix, less: Matrix) -> None:
        """Keep the leading directions of both; `less` is to be taken off the rows."""
        if len(known) + len(rows) <= self._size:
            self._directions = np.vstack([known, rows - less])
            return
        squares, vectors = self._leading(known, rows, less)
        kept = squares > squares[0] * 1e-12
        squares, vectors = squares[kept][: self._size], vectors[:, kept][:, : self._size]
        least = float(squares[-1]) if len(squares) == self._size else 0.0
        self._taken_off += least
        lengths = np.sqrt(np.maximum(squares - least, 0))
        self._directions = np.ascontiguousarray((vectors * lengths).T.astype(np.float32))

    def _leading(self, known: Matrix, rows: Matrix, less: Matrix) -> tuple[Matrix, Matrix]:
        """The largest squared singular values, and their directions as columns."""

        def seen(basis: Matrix) -> tuple[Matrix, Matrix]:
            return known @ basis, rows @ basis - less @ basis

        features = rows.shape[1]
        width = min(self._size + EXTRA, features)
        guess = np.random.default_rng(len(known) + len(rows)).normal(size=(features, width)).astype(np.float32)
        before = self._directions[: width - 1]
        guess[:, : len(before)] = before.T
        basis = np.linalg.qr(guess)[0]
        for _ in range(ITERATIONS):
            old, new = seen(basis)
            basis = np.linalg.qr(known.T @ old + rows.T @ new - np.outer(less, new.sum(axis=0)))[0]
        projected = np.vstack(seen(basis)).astype(np.float64)
        squares, vectors = np.linalg.eigh(projected.T @ projected)
        return squares[::-1], basis @ vectors[:, ::-1]
