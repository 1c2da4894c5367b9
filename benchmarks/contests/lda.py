"""LDA beside scikit-learn's, on documents whose topics are known: how much of a topic is missed, and in what time."""

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.decomposition import LatentDirichletAllocation

from benchmarks.contests import RowsJob, contest

DOCUMENTS, WORDS, TOPICS, LENGTH = 5000, 400, 8, 80
random = np.random.default_rng(0)
topics = random.dirichlet(np.full(WORDS, 0.05), TOPICS)
mixtures = random.dirichlet(np.full(TOPICS, 1 / TOPICS), DOCUMENTS)
counts = random.multinomial(LENGTH, mixtures @ topics).astype(np.float32)


def missed(found: np.ndarray) -> float:
    """The mean share of a true topic's words that its found one, matched as well as can be, has elsewhere."""
    shares = found / found.sum(axis=1, keepdims=True)
    away = np.abs(topics[:, None, :] - shares[None, :, :]).sum(axis=2) / 2
    return float(away[linear_sum_assignment(away)].mean())


contest(
    f"{DOCUMENTS:,} documents of {LENGTH} of {WORDS} words, {TOPICS} topics",
    "scikit-learn LatentDirichletAllocation",
    RowsJob("lda", counts, num_topics=TOPICS, mini_batch_size=500),
    lambda: LatentDirichletAllocation(TOPICS, random_state=0).fit(counts),
    "share of topics missed",
    lambda model: missed(np.asarray(model.words)),
    lambda fitted: missed(fitted.components_),
    rounds=1,
)
