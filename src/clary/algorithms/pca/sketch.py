"""What rows come to, for their principal components: nearly, in the memory of a few rows, where features are many.

    sketch + rows ─▶ singular values, each less by the last one that is kept ─▶ sketch of as many rows as before

Frequent Directions (Ghashami, Liberty, Phillips, Woodruff, SIAM J. Comput. 2016), whose error is bounded, and whose
sketches can be put together. The mean is taken off as the rows go by, as by Ross et al., "Incremental learning for
robust visual tracking" (2008): a row for the way from the mean so far to that of those that come.
"""

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Arrays, Team

Matrix = NDArray[np.float64]


class Sketch:
    def __init__(self, size: int, features: int, *, centered: bool) -> None:
        """Of `size` directions."""
        self._size = size
        self._centered = centered
        self._rows = 0.0
        self._mean = np.zeros(features)
        self._directions = np.zeros((0, features))

    def add(self, rows: NDArray[np.float32]) -> None:
        step = max(self._size, 128)
        for start in range(0, len(rows), step):
            part = rows[start : start + step].astype(np.float64)
            mean = part.mean(axis=0) if self._centered else self._mean
            self._take(len(part), mean, part - mean)

    def together(self, team: Team) -> None:
        given = team.gather({"rows": np.array(self._rows), "mean": self._mean, "directions": self._directions})
        self._rows, self._mean, self._directions = 0.0, np.zeros_like(self._mean), self._directions[:0]
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
            "s": np.pad(values[:found][::-1], (missing, 0)),
        }

    def _take(self, rows: float, mean: Matrix, directions: Matrix) -> None:
        """`directions` of so many rows, less their mean."""
        total = self._rows + rows
        way = np.sqrt(self._rows * rows / total) * (mean - self._mean)
        self._mean = self._mean + (mean - self._mean) * rows / total
        self._rows = total
        self._directions = self._shrunk(np.vstack([self._directions, directions, way[None, :]]))

    def _shrunk(self, directions: Matrix) -> Matrix:
        if len(directions) <= self._size:
            return directions
        # By the products of the rows, which are far fewer than the features.
        squares, vectors = np.linalg.eigh(directions @ directions.T)
        squares, vectors = squares[::-1][: self._size], vectors[:, ::-1][:, : self._size]
        kept = squares > squares[0] * 1e-12
        squares, vectors = squares[kept], vectors[:, kept]
        least = squares[-1] if len(squares) == self._size else 0.0
        share = np.sqrt(np.maximum(squares - least, 0) / squares)
        return np.asarray((vectors * share).T @ directions)
