"""A job of LDA, on one instance: counts ─▶ moments ─▶ components ─▶ topics with their prior."""

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.lda import TEST, Topics
from clary.algorithms.lda.decomposition import decompose
from clary.algorithms.lda.inference import mixtures, per_word_likelihood
from clary.algorithms.lda.moments import whiten

SHORTEST = 3
"""Words of a document that a moment of third order can be made of."""
SMALLEST = 1e-12


def train(job: Job) -> Topics:
    if job.team.size > 1:
        raise UserError(f"LDA trains on one instance, and there are {job.team.size}: set the instance count to 1.")
    topics, alpha0 = job.parameters["num_topics"], job.parameters["alpha0"]
    counts = _counts(job, TRAIN)
    long = counts[np.asarray(counts.sum(axis=1)).ravel() >= SHORTEST]
    logging.info("%d documents, of which %d have at least %d words.", counts.shape[0], long.shape[0], SHORTEST)
    if min(long.shape) < topics:
        raise UserError(
            f"{topics} topics cannot be found in {long.shape[0]} documents of at least {SHORTEST} words and "
            f"{long.shape[1]} different words: num_topics must not be more than either."
        )
    seen = whiten(long, topics, alpha0)
    parameters = job.parameters
    found = list(decompose(seen.tensor, parameters["max_restarts"], parameters["max_iterations"], parameters["tol"]))
    values = np.array([max(component.value, SMALLEST) for component in found])
    alpha = 4 * alpha0 * (alpha0 + 1) / ((alpha0 + 2) * values) ** 2
    words = np.array([_on_simplex(seen.unwhitening @ component.vector) for component in found])
    # By their shares of the corpus, whatever the order in which they were found; together they weigh alpha0.
    order = np.argsort(-alpha)
    return Topics(alpha[order] * alpha0 / alpha.sum(), words[order])


def likelihood_of_test(job: Job, topics: Topics) -> float:
    """The mean logarithm of the probability of a word."""
    counts = _counts(job, TEST)
    total, words = per_word_likelihood(counts, mixtures(counts, topics.alpha, topics.words), topics.words)
    return total / max(words, 1.0)


def _counts(job: Job, channel: str) -> Any:
    """All documents of a channel, which are held in memory: each of its words is there a few times at most."""
    parts = [csr_matrix(batch.features, dtype=np.float64) for batch in job.batches(channel, counts=True)]
    return vstack(parts, format="csr")


def _on_simplex(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """A direction as probabilities: an eigenvector has no sign of its own, and noise makes some of it negative."""
    signed = direction if direction.sum() > 0 else -direction
    positive = np.maximum(signed, 0) + SMALLEST
    return np.asarray(positive / positive.sum())
