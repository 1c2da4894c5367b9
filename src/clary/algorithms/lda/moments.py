"""The moments of a corpus that its topics show in, whitened: after Anandkumar, Foster, Hsu, Kakade and Liu, "A Spectral
Algorithm for Latent Dirichlet Allocation" (2012), and Anandkumar et al., "Tensor Decompositions for Learning Latent
Variable Models" (2014).

    counts (documents, words) ─▶ M2 = Σ wᵢ μᵢ μᵢᵀ ─ its first directions ─▶ whitening W, with Wᵀ M2 W = 1
                              └▶ M3 = Σ uᵢ μᵢ⊗μᵢ⊗μᵢ ─ seen through W ─▶ a tensor (topics, topics, topics)

The moments are of words at different places of a document: what a word would contribute with itself is taken off. No
matrix of words by words is ever made.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Whitened:
    tensor: Array
    """M3 through the whitening, `(topics, topics, topics)`."""
    unwhitening: Array
    """M2 · W `(words, topics)`: takes a direction back to words."""


def whiten(counts: Any, topics: int, alpha0: float) -> Whitened:
    """`counts` is a sparse matrix whose documents have at least three words each."""
    lengths = np.asarray(counts.sum(axis=1), dtype=np.float64).ravel()
    documents = len(lengths)
    mean = np.asarray(counts.T @ (1 / lengths)).ravel() / documents
    pairs = 1 / (lengths * (lengths - 1) * documents)
    triples = 1 / (lengths * (lengths - 1) * (lengths - 2) * documents)
    share = alpha0 / (alpha0 + 1)

    def raw_second(vectors: Array) -> Array:
        """Those pairs of places, by some vectors: no matrix of words by words."""
        weighted = counts.T @ (pairs[:, None] * (counts @ vectors))
        own = np.asarray(counts.T @ pairs).ravel()
        return np.asarray(weighted) - own[:, None] * vectors

    def second(vectors: Array) -> Array:
        return raw_second(vectors) - share * np.outer(mean, mean @ vectors)

    values, directions = _top(second, counts.shape[1], topics)
    whitening = directions / np.sqrt(values)
    tensor = _third(counts @ whitening, counts, whitening, triples)
    first, crossed = whitening.T @ mean, whitening.T @ raw_second(whitening)
    beside = crossed[:, :, None] * first
    tensor -= alpha0 / (alpha0 + 2) * (beside + beside.transpose(0, 2, 1) + beside.transpose(2, 0, 1))
    cube = np.einsum("i,j,k->ijk", first, first, first)
    tensor += 2 * alpha0**2 / ((alpha0 + 1) * (alpha0 + 2)) * cube
    return Whitened(tensor, directions * np.sqrt(values))


def _top(second: Any, words: int, topics: int) -> tuple[Array, Array]:
    """The largest eigenvalues of M2 and their directions, by subspace iteration from random ones."""
    random = np.random.default_rng(0)
    basis = np.linalg.qr(random.normal(size=(words, min(words, topics + 10))))[0]
    for _ in range(30):
        basis = np.linalg.qr(second(basis))[0]
    values, inner = np.linalg.eigh(basis.T @ second(basis))
    order = np.argsort(-values)[:topics]
    # Noise may leave less than as many positive ones as there are topics.
    return np.maximum(values[order], 1e-12), basis @ inner[:, order]


def _third(seen: Array, counts: Any, whitening: Array, triples: Array) -> Array:
    """The raw third moment through the whitening; `seen` are the documents through it."""
    weighted = triples[:, None] * seen
    tensor = np.einsum("di,dj,dk->ijk", weighted, seen, seen, optimize=True)
    # A word with itself: counted at two of the three places, and at all three.
    beside = np.einsum("wi,wj,wk->ijk", whitening, whitening, np.asarray(counts.T @ weighted), optimize=True)
    tensor -= beside + beside.transpose(0, 2, 1) + beside.transpose(2, 1, 0)
    own = np.asarray(counts.T @ triples).ravel()
    return np.asarray(
        tensor + 2 * np.einsum("wi,wj,wk->ijk", own[:, None] * whitening, whitening, whitening, optimize=True)
    )
