"""Lloyd's algorithm on weighted points that fit into memory, seeded at random or by k-means++.

Arthur and Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007; each next seed is the best of
several that are drawn, as in scikit-learn.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Lloyd:
    k: int
    init: str
    trials: int
    max_iter: int
    tol: float
    """Of the loss: where it changes by less than this share of itself, it is done."""

    def fit(self, points: Points, weights: NDArray[np.float64], random: np.random.Generator) -> Points:
        """The best centers of all trials, `k` of them or as many as there are points."""
        best, least = points[: self.k], np.inf
        for _ in range(self.trials):
            centers, loss = self._try(points, weights, random)
            if loss < least:
                best, least = centers, loss
        return best

    def _try(self, points: Points, weights: NDArray[np.float64], random: np.random.Generator) -> tuple[Points, float]:
        centers = seeds(points, weights, self.k, self.init, random)
        before = np.inf
        for _ in range(self.max_iter):
            nearest, distances = assign(points, centers)
            loss = float(weights @ distances)
            if before - loss <= self.tol * loss:
                return centers, loss
            before = loss
            sums, sizes = (
                add_up(points * weights[:, None], nearest, len(centers)),
                np.bincount(nearest, weights, len(centers)),
            )
            centers = np.where(sizes[:, None] > 0, sums / np.maximum(sizes, 1e-300)[:, None], centers)
            if not (sizes > 0).all():
                # One that lost all its points begins again where the loss is greatest.
                empty = np.flatnonzero(sizes == 0)
                centers[empty] = points[np.argsort(-weights * distances)[: len(empty)]]
        return centers, float(weights @ assign(points, centers)[1])


def seeds(points: Points, weights: NDArray[np.float64], k: int, init: str, random: np.random.Generator) -> Points:
    """`k` of the points, or all where there are fewer."""
    k = min(k, len(points))
    if init == "random":
        return points[random.choice(len(points), k, replace=False)]
    chosen = [int(random.choice(len(points), p=weights / weights.sum()))]
    distances = _to(points, points[chosen[0]])
    drawn = 2 + int(np.log(k))
    for _ in range(k - 1):
        mass = np.cumsum(weights * distances)
        if mass[-1] <= 0:  # All that are left coincide with a seed.
            chosen += [int(each) for each in random.choice(len(points), k - len(chosen))]
            break
        candidates = np.minimum(np.searchsorted(mass, random.random(drawn) * mass[-1]), len(points) - 1)
        left = np.minimum(distances, _to(points, points[candidates]))
        best = int((left @ weights).argmin())
        chosen.append(int(candidates[best]))
        distances = left[best]
    return points[chosen].copy()


def assign(points: Points, centers: Points) -> tuple[NDArray[np.intp], Points]:
    """Of each point the nearest center, and the square of the distance to it."""
    scores = points @ (-2 * centers.T)
    scores += np.einsum("ij,ij->i", centers, centers)
    nearest = scores.argmin(axis=1)
    least = scores[np.arange(len(points)), nearest] + np.einsum("ij,ij->i", points, points)
    return nearest, np.maximum(least, 0)


def add_up(points: Points, groups: NDArray[np.intp], count: int) -> Points:
    """The sum of the points of each group."""
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(count))
    sums = np.zeros((count, points.shape[1]), np.float64)
    present = np.flatnonzero(np.diff(np.append(starts, len(points))))
    sums[present] = np.add.reduceat(points[order], starts[present], axis=0, dtype=np.float64)
    return sums


def _to(points: Points, those: Points) -> Points:
    """Squares of the distances of all points to one, or to each of several (one row each)."""
    single = those.ndim == 1
    targets = np.atleast_2d(those)
    squares = np.einsum("ij,ij->i", points, points)
    found = squares - 2 * targets @ points.T + np.einsum("ij,ij->i", targets, targets)[:, None]
    found = np.maximum(found, 0)
    return np.asarray(found[0] if single else found)
