"""How far a row is from what the trees were grown of.

In each tree the row goes down as if it were in it. At a node it would be cut off, with a chance that is the share of
what it adds to the box's widths, and it would then be a leaf at this depth:

    score = Σ chance of being cut off here · 1 / (depth + 1), and what a leaf counts where it never was
          · log2(points of the tree + 1)

the mean over all trees. This is the expectation over all trees that have the row (Guha et al. 2016), weighted as AWS's
open library `random-cut-forest` does by default: a leaf with the row itself counts 1 / (depth + log2(mass + 1)), and
less the more it has of them.

A forest's trees are gone down one after the other, so that a tree stays in the processor's own memory meanwhile;
rows are shared out to its cores.
"""

import math
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from clary.algorithms.randomcutforest.growing import NONE, Forest

Rows = NDArray[np.float32]
SIGNATURE = "f4[::1](f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[::1], i4[::1], i4[::1], f4[::1], i4[::1], i8)"
"""With which the loop is compiled when this module is imported, and not by the first request."""
REORDERED = {"reassoc", "contract", "nsz"}
"""What lets sums over features be made several at a time; rows and boxes are finite."""
SHARE = 512
"""Rows from which on a core is worth a thread."""


class Scorer:
    def __init__(self, forest: Forest) -> None:
        low, high = np.ascontiguousarray(forest.low), np.ascontiguousarray(forest.high)
        widths = (high - low).sum(axis=1)
        nodes = (forest.mass, forest.dimension, forest.cut, forest.left)
        self._arrays = [low, high, widths, *map(np.ascontiguousarray, nodes)]
        self._trees = forest.trees

    def __call__(self, rows: Rows) -> Rows:
        shares = min(len(os.sched_getaffinity(0)), len(rows) // SHARE)
        if shares < 2:
            return self._score(rows)
        with ThreadPoolExecutor(shares) as threads:
            return np.concatenate(list(threads.map(self._score, np.array_split(rows, shares))))

    def _score(self, rows: Rows) -> Rows:
        scores: Rows = _score(np.ascontiguousarray(rows), *self._arrays, self._trees)
        return scores


@numba.njit(SIGNATURE, nogil=True, fastmath=REORDERED, error_model="numpy")  # type: ignore[untyped-decorator]
def _score(
    rows: Any, low: Any, high: Any, widths: Any, mass: Any, dimension: Any, cut: Any, left: Any, trees: int
) -> Any:  # pragma: no cover
    scores = np.zeros(len(rows), np.float32)
    none, one = np.float32(0), np.float32(1)
    for tree in range(trees):
        weight = math.log2(mass[tree] + 1) / trees
        for row in range(len(rows)):
            node, place, remaining, found = tree, one, one, none
            while True:
                added = none
                for each in range(rows.shape[1]):
                    value = rows[row, each]
                    added += max(low[node, each] - value, none) + max(value - high[node, each], none)
                if added > 0:
                    chance = added / (added + widths[node])
                    found += remaining * chance / place
                    remaining *= one - chance
                if dimension[node] == NONE or remaining == 0:
                    break
                node = left[node] + (rows[row, dimension[node]] > cut[node])
                place += one
            if remaining > 0:
                found += remaining * (1 - mass[node] / (2 * mass[tree])) / (place - 1 + math.log2(mass[node] + 1))
            scores[row] += found * weight
    return scores
