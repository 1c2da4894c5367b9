"""How far a row is from what the trees were grown of.

In each tree the row goes down as if it were in it. At a node it would be cut off, with a chance that is the share of
what it adds to the box's widths, and it would then be a leaf at this depth:

    score = Σ chance of being cut off here · 1 / (depth + 1), and what a leaf counts where it never was
          · log2(points of the tree + 1)

the mean over all trees. This is the expectation over all trees that have the row (Guha et al. 2016), weighted as AWS's
open library `random-cut-forest` does by default: a leaf with the row itself counts 1 / (depth + log2(mass + 1)), and
less the more it has of them.
"""

import math
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from clary.algorithms.randomcutforest.growing import NONE, Forest

Rows = NDArray[np.float32]
SIGNATURE = "f4[::1](f4[:, ::1], f4[:, ::1], f4[:, ::1], i4[::1], i4[::1], f4[::1], i4[::1], i8)"
"""With which the loop is compiled when this module is imported, and not by the first request."""


def score(forest: Forest, rows: Rows) -> Rows:
    arrays = [np.ascontiguousarray(array) for array in forest[:-1]]
    scores: Rows = _score(np.ascontiguousarray(rows), *arrays, forest.trees)
    return scores


@numba.njit(SIGNATURE, nogil=True)  # type: ignore[untyped-decorator]
def _score(
    rows: Any, low: Any, high: Any, mass: Any, dimension: Any, cut: Any, left: Any, trees: int
) -> Any:  # pragma: no cover
    scores = np.zeros(len(rows), np.float32)
    for row in range(len(rows)):
        total = 0.0
        for tree in range(trees):
            node, depth, remaining, found = tree, 0, 1.0, 0.0
            while True:
                added, width = 0.0, 0.0
                for each in range(rows.shape[1]):
                    value, least, most = rows[row, each], low[node, each], high[node, each]
                    width += most - least
                    if value < least:
                        added += least - value
                    elif value > most:
                        added += value - most
                if added > 0:
                    chance = added / (added + width)
                    found += remaining * chance / (depth + 1)
                    remaining *= 1 - chance
                if dimension[node] == NONE or remaining == 0:
                    break
                node = left[node] + (rows[row, dimension[node]] > cut[node])
                depth += 1
            if remaining > 0:
                found += remaining * (1 - mass[node] / (2 * mass[tree])) / (depth + math.log2(mass[node] + 1))
            total += found * math.log2(mass[tree] + 1)
        scores[row] = total / trees
    return scores
