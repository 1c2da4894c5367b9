"""Random cut trees, all of a forest grown at once, level by level.

    points by their nodes ─▶ the box of each node ─▶ a cut of each ─▶ points by the nodes below ─▶ …

Guha, Mishra, Roy, Schrijvers, "Robust random cut forest based anomaly detection on streams", ICML 2016: a dimension is
cut with a chance in proportion to the width of the box, anywhere in it alike, until points coincide.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
NONE = -1


class Forest(NamedTuple):
    """The nodes of all trees, those of level 0 (one for each tree) first."""

    low: Rows
    """Corners of each node's box."""
    high: Rows
    mass: NDArray[np.int32]
    """Points below the node."""
    dimension: NDArray[np.int32]
    """That is cut; `NONE` of a leaf."""
    cut: Rows
    """Points up to here are below the left child."""
    left: NDArray[np.int32]
    """The right one is next to it."""
    trees: int


def grow(samples: NDArray[np.float32], random: np.random.Generator) -> Forest:
    """A tree for each sample (trees, points, features)."""
    trees, points, features = samples.shape
    ordered = samples.reshape(-1, features)
    starts = np.arange(trees) * points
    levels: list[tuple[NDArray[np.generic], ...]] = []
    grown = 0
    while len(starts):
        low, high = np.minimum.reduceat(ordered, starts), np.maximum.reduceat(ordered, starts)
        mass = np.diff(np.append(starts, len(ordered)))
        dimension, cut = _cuts(low, high, random)
        inner = dimension != NONE
        left = np.full(len(starts), NONE)
        grown += len(starts)
        left[inner] = grown + 2 * np.arange(int(inner.sum()))
        levels.append((low, high, mass, dimension, cut, left))
        node = np.repeat(np.arange(len(starts)), mass)
        going = inner[node]
        ordered, node = ordered[going], node[going]
        right = ordered[np.arange(len(ordered)), dimension[node]] > cut[node]
        below = 2 * (np.cumsum(inner) - 1)[node] + right
        order = np.argsort(below, kind="stable")
        ordered = ordered[order]
        starts = np.searchsorted(below[order], np.arange(2 * int(inner.sum())))
    low, high, mass, dimension, cut, left = (np.concatenate(parts) for parts in zip(*levels, strict=True))
    return Forest(low, high, mass.astype(np.int32), dimension.astype(np.int32), cut, left.astype(np.int32), trees)


def _cuts(low: Rows, high: Rows, random: np.random.Generator) -> tuple[NDArray[np.intp], Rows]:
    """A dimension of each box and where it is cut, such that points lie on both sides of it."""
    widths = np.cumsum(high.astype(np.float64) - low, axis=1)
    whole = widths[:, -1]
    place = random.random(len(low)) * whole
    dimension = np.minimum((widths <= place[:, None]).sum(axis=1), low.shape[1] - 1)
    boxes = np.arange(len(low))
    lowest, highest = low[boxes, dimension], high[boxes, dimension]
    cut = (lowest + (place - (widths[boxes, dimension] - (highest - lowest.astype(np.float64))))).astype(np.float32)
    # Rounding must not bring all points to one side.
    cut = np.clip(cut, lowest, np.nextafter(highest, lowest))
    splits = (whole > 0) & (highest > lowest)
    return np.where(splits, dimension, NONE), cut
