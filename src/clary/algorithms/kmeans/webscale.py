"""More centers than are asked for, kept up to date while the data goes by in mini-batches.

    batch ─▶ nearest center of each row ─▶ sums and sizes of its center ─▶ center = sum / size

A center is the mean of the rows that came to it, so that centers with their sizes sum the data up, for Lloyd's
algorithm to go on with. So the guide describes it ("How K-Means Clustering Works").
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kmeans.lloyd import add_up, assign, seeds

Rows = NDArray[np.float32]


@dataclass(slots=True)
class Summary:
    """What the rows of one pass came to. Sums are of rows less `origin`."""

    origin: NDArray[np.float64]
    """Numbers far from zero would lose what tells them apart, in 32 bits."""
    centers: NDArray[np.float64]
    sums: NDArray[np.float64]
    sizes: NDArray[np.float64]
    squares: float = 0.0
    """Of all rows' distances to the origin."""
    rows: float = 0.0

    @classmethod
    def begin(cls, first: Rows, count: int, init: str, random: np.random.Generator) -> "Summary":
        """With centers that are seeded among the first rows. It has none of them yet."""
        origin = first.mean(axis=0, dtype=np.float64)
        points = first.astype(np.float64) - origin
        centers = seeds(points, np.ones(len(points)), count, init, random)
        return cls(origin, centers, np.zeros_like(centers), np.zeros(len(centers)))

    def begin_pass(self) -> None:
        """Forget what the centers were made of, and keep where they are."""
        self.sums[:], self.sizes[:], self.squares, self.rows = 0, 0, 0.0, 0.0

    def add(self, rows: Rows, half_life: int) -> None:
        """`half_life`: rows after which what came before counts half; 0 is never."""
        if half_life:
            self._fade(0.5 ** (len(rows) / half_life))
        points = (rows - self.origin).astype(np.float32)
        nearest, _ = assign(points, self.centers.astype(np.float32))
        self.sums += add_up(points, nearest, len(self.centers))
        self.sizes += np.bincount(nearest, minlength=len(self.centers))
        self.squares += float(np.einsum("ij,ij->", points, points, dtype=np.float64))
        self.rows += len(rows)
        self._move()

    def put(
        self,
        sums: NDArray[np.float64],
        sizes: NDArray[np.float64],
        squares: NDArray[np.float64],
        rows: NDArray[np.float64],
    ) -> None:
        """What all instances together came to."""
        self.sums, self.sizes, self.squares, self.rows = sums, sizes, float(squares), float(rows)
        self._move()

    def loss(self, groups: NDArray[np.intp], centers: NDArray[np.float64]) -> float:
        """The sum of squared distances of all rows, where those of a center here go to its group's center there."""
        sums = add_up(self.sums, groups, len(centers))
        sizes = np.bincount(groups, self.sizes, len(centers))
        inner = float(np.einsum("ij,ij->", sums, centers))
        return self.squares - 2 * inner + float(sizes @ np.einsum("ij,ij->i", centers, centers))

    def _fade(self, share: float) -> None:
        self.sums *= share
        self.sizes *= share
        self.squares *= share
        self.rows *= share

    def _move(self) -> None:
        moved = self.sizes > 0
        self.centers[moved] = self.sums[moved] / self.sizes[moved, None]
