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
    given = normalised(rows) if kind.metric == COSINE else rows
    if not index.is_trained:
        index.train(given)
    index.add(given)
    return index


def search(index: Any, rows: Rows, k: int, metric: str) -> tuple[Rows, NDArray[np.int64]]:
    """Of each row the distances to its `k` nearest, in ascending order, and which they are.

    Distances are Euclidean, one less the cosine, or the inner product with its sign changed.
    """
    found, places = index.search(np.ascontiguousarray(normalised(rows) if metric == COSINE else rows), k)
    if (places < 0).any():
        # The lists that were searched had not enough: those that are missing are the last one found, again.
        last = np.maximum((places >= 0).sum(axis=1) - 1, 0)[:, None]
        kept = np.minimum(np.arange(k)[None, :], last)
        found, places = np.take_along_axis(found, kept, 1), np.maximum(np.take_along_axis(places, kept, 1), 0)
    if metric == L2:
        return np.sqrt(np.maximum(found, 0)), places
    return (-found if metric == INNER_PRODUCT else 1 - found), places


def normalised(rows: Rows) -> Rows:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(lengths, 1e-30), np.float32)
