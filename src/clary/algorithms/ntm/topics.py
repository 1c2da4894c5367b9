"""Topics told in words, with what tells good ones: how near their words are in meaning, and how much is theirs alone.

The coherence is that of Ding, Nallapati and Xiang, "Coherence-Aware Neural Topic Modeling" (2018), by the cosines of
pairs of vectors; the uniqueness that of Nan et al. (2019), the mean of 1 / topics that tell the same word.
"""

import logging

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.ntm.vocabulary import Vectors, Vocabulary

TOLD = 10
"""Words of a topic."""


def print_topics(weights: NDArray[np.float32], vocabulary: Vocabulary) -> None:
    """The words that are likeliest in each topic; `weights` are (topics, words)."""
    vectors = vocabulary.vectors
    strongest = np.argsort(-weights, axis=1, kind="stable")[:, :TOLD]
    told = {} if vectors is None else {"wetc": [_coherence(vectors[words]) for words in strongest]}
    counts = np.bincount(strongest.ravel(), minlength=weights.shape[1])
    told["tu"] = [float(np.mean(1 / counts[words])) for words in strongest]
    means = ", ".join(f"{name} {np.mean(values):.2f}" for name, values in told.items())
    logging.info("Topics from epoch:final (num_topics:%d) [%s]:", len(strongest), means)
    for number, words in enumerate(strongest.tolist()):
        values = ", ".join(f"{each[number]:.2f}" for each in told.values())
        logging.info("[%s] %s", values, " ".join(vocabulary.words[word] for word in words))


def _coherence(vectors: Vectors) -> float:
    """The mean cosine of two words, where one without a vector is like none."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    units = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
    pairs = np.triu_indices(len(units), 1)
    return float((units @ units.T)[pairs].mean()) if len(units) > 1 else 1.0
