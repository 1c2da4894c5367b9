"""The rows that were sampled, in an index of Faiss that finds the nearest of them."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.knn.hyperparameters import COSINE, FLAT, INNER_PRODUCT, IVF_PQ, L2

Rows = NDArray[np.float32]

BITS = 8
"""Of the code of a sub-vector, where there are rows enough to learn as many codes."""
PROBED = 16
"""One of so many lists is searched, and at least `LEAST_PROBED`."""
LEAST_PROBED = 5
LEARNED_FROM = 64
"""Rows for each list, of which the lists are learned: more took most of the time and found no more neighbours."""
CODED = 1 << 16
"""Rows of which codes are learned, where there are as many."""
ADDED = 10_000
"""Rows that are put into the index at once."""


class Kind(NamedTuple):
    type: str
    metric: str
    lists: int
    parts: int
    """Sub-vectors of product quantization."""


def build(rows: Rows, kind: Kind) -> Any:
    import faiss

    metric = faiss.METRIC_L2 if kind.metric == L2 else faiss.METRIC_INNER_PRODUCT
    index: Any = faiss.IndexFlat(rows.shape[1], metric)
    if kind.type != FLAT:
        lists = min(kind.lists, len(rows))
        if kind.type == IVF_PQ:
            bits = min(BITS, int(math.log2(len(rows)))) if len(rows) > 1 else 1
            index = faiss.IndexIVFPQ(index, rows.shape[1], lists, kind.parts, bits, metric)
        else:
            index = faiss.IndexIVFFlat(index, rows.shape[1], lists, metric)
        index.nprobe = max(LEAST_PROBED, lists // PROBED)
        index.cp.max_points_per_centroid = LEARNED_FROM
    if not index.is_trained:
        learned = min(len(rows), max(LEARNED_FROM * kind.lists, CODED))
        chosen = np.random.default_rng(0).choice(len(rows), learned, replace=False)
        index.train(_given(rows[chosen], kind.metric))
    # A part at a time: all of them would be there twice, and with the index three times.
    for start in range(0, len(rows), ADDED):
        index.add(_given(rows[start : start + ADDED], kind.metric))
    return index


def search(index: Any, rows: Rows, k: int, metric: str) -> tuple[Rows, NDArray[np.int64]]:
    """Of each row the distances to its `k` nearest, in ascending order, and which they are.

    Distances are Euclidean, one less the cosine, or the inner product with its sign changed.
    """
    found, places = index.search(_given(rows, metric), k)
    if (places < 0).any():
        # The lists that were searched had not enough: those that are missing are the last one found, again.
        last = np.maximum((places >= 0).sum(axis=1) - 1, 0)[:, None]
        kept = np.minimum(np.arange(k)[None, :], last)
        found, places = np.take_along_axis(found, kept, 1), np.maximum(np.take_along_axis(places, kept, 1), 0)
    if metric == L2:
        return np.sqrt(np.maximum(found, 0)), places
    return (-found if metric == INNER_PRODUCT else 1 - found), places


def _given(rows: Rows, metric: str) -> Rows:
    """As Faiss takes them."""
    return np.ascontiguousarray(normalised(rows) if metric == COSINE else rows)


def normalised(rows: Rows) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-30), np.float32)
