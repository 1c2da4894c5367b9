"""The topics in a whitened tensor: its robust eigenvectors, by the tensor power method with restarts (Anandkumar et al.
2014, algorithm 1). Each that is found is taken off the tensor before the next is looked for."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class Component(NamedTuple):
    value: float
    vector: Array


def decompose(tensor: Array, restarts: int, iterations: int, tol: float) -> Iterator[Component]:
    """As many as the tensor has dimensions, the largest first as a rule."""
    random = np.random.default_rng(0)
    rest = tensor.copy()
    for _ in range(len(tensor)):
        starts = random.normal(size=(restarts, len(tensor)))
        vectors = _iterate(rest, starts / np.linalg.norm(starts, axis=1, keepdims=True), iterations, tol)
        values = np.einsum("ijk,ri,rj,rk->r", rest, vectors, vectors, vectors, optimize=True)
        best = int(values.argmax())
        yield Component(float(values[best]), vectors[best])
        rest -= values[best] * np.einsum("i,j,k->ijk", vectors[best], vectors[best], vectors[best])


def _iterate(tensor: Array, vectors: Array, iterations: int, tol: float) -> Array:
    """From all starts at once, until none moves by more than `tol`."""
    for _ in range(iterations):
        moved = np.einsum("ijk,rj,rk->ri", tensor, vectors, vectors, optimize=True)
        moved /= np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-300)
        done = np.abs(moved - vectors).max() < tol
        vectors = moved
        if done:
            break
    return vectors
