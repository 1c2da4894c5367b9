"""What rows come to, for their principal components: exactly, where features are few.

    rows ─▶ how many, their sum, the sum of their outer products ─▶ covariance ─▶ its leading eigenvectors

Sums are of rows less `origin`, since numbers far from zero would lose what tells them apart; it is 0 where they are not
far, and rows need not be moved.
"""

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Arrays, Team

Matrix = NDArray[np.float64]

LOOKED_AT = 1000
"""Rows that tell how far from zero the numbers are."""
FAR = 10.0
"""Deviations."""


class Moments:
    def __init__(self, origin: Matrix) -> None:
        """`origin` is one that `far_from_zero` gave."""
        self._origin = origin
        self._rows = 0.0
        self._sum = np.zeros(len(origin))
        self._products = np.zeros((len(origin), len(origin)))

    def add(self, rows: NDArray[np.float32]) -> None:
        shifted = rows - self._origin.astype(np.float32) if self._origin.any() else rows
        self._rows += len(rows)
        self._sum += np.ones(len(rows), np.float32) @ shifted
        self._products += shifted.T @ shifted

    def together(self, team: Team) -> None:
        rows, self._sum, self._products = team.sum(np.array(self._rows), self._sum, self._products)
        self._rows = float(rows)

    def solve(self, components: int, *, centered: bool) -> Arrays:
        """`mean`, and of the components `v` (columns) and `s`: the largest last, as AWS's algorithm has them."""
        mean = self._sum / self._rows
        scatter = self._products - self._rows * np.outer(mean, mean)
        mean += self._origin
        if not centered:
            scatter += self._rows * np.outer(mean, mean)
        values, vectors = _leading(scatter, components)
        return {"mean": mean, "v": vectors, "s": np.sqrt(np.maximum(values, 0))}


def far_from_zero(rows: NDArray[np.float32]) -> Matrix:
    """The means of the columns whose numbers differ by little beside what they are; of others 0."""
    some = rows[:LOOKED_AT].astype(np.float64)
    mean = some.mean(axis=0)
    return np.where(np.abs(mean) > FAR * some.std(axis=0), mean, 0)


def _leading(scatter: Matrix, components: int) -> tuple[Matrix, Matrix]:
    """The largest eigenvalues, in ascending order, and their eigenvectors."""
    if components > len(scatter) // 4:
        values, vectors = np.linalg.eigh(scatter)
        return values[-components:], vectors[:, -components:]
    from scipy.linalg import eigh

    # Few of many: LAPACK finds them alone, in a fraction of the time.
    found: tuple[Matrix, Matrix] = eigh(scatter, subset_by_index=(len(scatter) - components, len(scatter) - 1))
    return found
