"""The topics that a document is a mixture of: variational inference (Blei, Ng and Jordan 2003), of all at once."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ROUNDS = 100
TOL = 1e-4
TINY = 1e-100


def mixtures(counts: Any, alpha: Array, words: Array) -> Array:
    """The mean of each document's posterior, `(documents, topics)`."""
    from scipy.special import digamma

    gamma = np.ones((counts.shape[0], len(alpha))) + alpha
    for _ in range(ROUNDS):
        theta = np.exp(digamma(gamma) - digamma(gamma.sum(axis=1, keepdims=True)))
        renewed = alpha + theta * np.asarray(_ratio(counts, theta, words) @ words.T)
        change = np.abs(renewed - gamma).mean()
        gamma = renewed
        if change < TOL:
            break
    return np.asarray(gamma / gamma.sum(axis=1, keepdims=True))


def per_word_likelihood(counts: Any, shares: Array, words: Array) -> tuple[float, float]:
    """The sum of the logarithms of all words' probabilities, and how many they are."""
    counts = counts.tocoo()
    chances = np.einsum("nk,nk->n", shares[counts.row], words.T[counts.col])
    return float(counts.data @ np.log(np.maximum(chances, TINY))), float(counts.data.sum())


def _ratio(counts: Any, theta: Array, words: Array) -> Any:
    """Counts by what the mixture makes of them, only where there are counts."""
    if isinstance(counts, np.ndarray):
        return counts / np.maximum(theta @ words, TINY)
    found = counts.tocoo()
    expected = np.einsum("nk,nk->n", theta[found.row], words.T[found.col])
    return type(found)((found.data / np.maximum(expected, TINY), (found.row, found.col)), shape=found.shape).tocsr()
