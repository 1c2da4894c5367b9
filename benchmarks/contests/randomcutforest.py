"""Random Cut Forest beside scikit-learn's IsolationForest and rrcf, trained and asked for the scores of all rows."""

import numpy as np
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score

from benchmarks.contests import RowsJob, contest
from clary.algorithms.kit.batches import Batch

TREES, SAMPLES = 100, 256
random = np.random.default_rng(0)
usual = np.concatenate([random.normal(4 * side, 1, (5000, 8)) for side in (-1, 1)])
rows = np.concatenate([usual, random.uniform(-9, 9, (100, 8))]).astype(np.float32)
labels = np.repeat([0, 1], [10_000, 100])
order = random.permutation(len(rows))
rows, labels = rows[order], labels[order]
few, few_labels = rows[:150], labels[:150]


def isolation() -> np.ndarray:
    forest = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=0).fit(rows)
    return np.asarray(-forest.score_samples(rows))


def robust() -> np.ndarray:
    """As the library's documentation scores a batch: a tree's point is inserted, asked, and forgotten."""
    import rrcf

    scores = np.zeros(len(few))
    for _ in range(TREES):
        tree = rrcf.RCTree(rows[random.choice(len(rows), SAMPLES, replace=False)].astype(float))
        for number, row in enumerate(few.astype(float)):
            tree.insert_point(row, index="asked")
            scores[number] += tree.codisp("asked")
            tree.forget_point("asked")
    return scores


job = RowsJob("randomcutforest", rows, num_trees=TREES, num_samples_per_tree=SAMPLES)


def ours(asked: np.ndarray) -> np.ndarray:
    return np.asarray(job().predict(Batch(asked), {})["score"])


contest(
    f"10,100 x 8, {TREES} trees, all asked",
    "scikit-learn IsolationForest",
    lambda: ours(rows),
    isolation,
    "area under the curve",
    lambda scores: float(roc_auc_score(labels, scores)),
    lambda scores: float(roc_auc_score(labels, scores)),
)
contest(
    f"10,100 x 8, {TREES} trees, 150 asked",
    "rrcf",
    lambda: ours(few),
    robust,
    "area under the curve",
    lambda scores: float(roc_auc_score(few_labels, scores)),
    lambda scores: float(roc_auc_score(few_labels, scores)),
    rounds=1,
)
