"""The algorithms of documents as counts of words."""

import numpy as np

from tests.algorithms.cases.case import Case, Job, Mistakes
from tests.algorithms.cases.rows import (
    REFUSALS,
    UNLABELLED,
    Table,
    csv,
    forms,
    job,
    mistakes_of_csv,
    mistakes_of_records,
)


def counts(seed: int) -> Table:
    """Documents of two topics, of two words each."""
    random = np.random.default_rng(seed)
    words = np.array([[0.5, 0.4, 0.05, 0.05], [0.05, 0.05, 0.3, 0.6]])
    return random.multinomial(30, random.dirichlet([0.3, 0.3], 120) @ words).astype(np.float32)


def topic_mistakes(good: Job) -> Mistakes:
    return {
        **mistakes_of_csv(good),
        **mistakes_of_records(good),
        "negative count": (good.holding("train", b"1,2,3,4\n5,6,-7,8\n"), "data.csv: line 2 has -7 for feature 3"),
    }


def lda_mistakes(good: Job) -> Mistakes:
    return {
        **topic_mistakes(good),
        "too few documents": (good.holding("train", b"1,2,3,4\n"), "2 topics cannot be found in 1 documents"),
        "huge counts": (good.holding("train", b"3e38,2,3,4\n3e38,6,7,8\n3e38,1,1,1\n3e38,4,4,4\n"), "too large"),
    }


def ntm_mistakes(good: Job) -> Mistakes:
    def vocabulary(content: bytes, name: str = "vocab.txt") -> Job:
        return good.having("auxiliary", "text/plain", {name: content})

    return {
        **topic_mistakes(good),
        "short vocabulary": (vocabulary(b"one\ntwo\n"), "vocab.txt has 2 words, and feature_dim is 4"),
        "no vocabulary": (vocabulary(b"one\ntwo\n", "words.txt"), "vocab.txt of the channel auxiliary cannot be read"),
        "vocabulary of bytes": (vocabulary(b"\xff\xfe"), "vocab.txt of the channel auxiliary cannot be read"),
        "layers": (good.given(encoder_layers="a,b"), "'a,b' is not valid for the 'encoder_layers'"),
        "no layers": (good.given(encoder_layers="0"), "'0' is not valid for the 'encoder_layers'"),
        "huge counts": (good.holding("train", b"3e38,2,3,4\n3e38,6,7,8\n3e38,1,1,1\n3e38,4,4,4\n"), "too large"),
    }


DOCUMENTS = counts(9)


CASES = (
    Case(
        "lda",
        job(
            UNLABELLED,
            "data.csv",
            lambda seed: csv(counts(seed)),
            feature_dim="4",
            num_topics="2",
            mini_batch_size="50",
        ),
        forms(DOCUMENTS),
        ("topic_mixture",),
        lda_mistakes,
        REFUSALS,
        "num_topics",
        ("max_restarts", "0"),
        "text/libsvm",
    ),
    Case(
        "ntm",
        job(
            UNLABELLED,
            "data.csv",
            lambda seed: csv(counts(seed)),
            feature_dim="4",
            num_topics="2",
            epochs="2",
            mini_batch_size="50",
        ),
        forms(DOCUMENTS),
        ("topic_weights",),
        ntm_mistakes,
        REFUSALS,
        "num_topics",
        unfit="text/libsvm",
        slow=True,
    ),
)
