"""Linear models beside scikit-learn's: one with given settings, and the thirty-two that `auto` trains."""

import numpy as np
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV, SGDClassifier
from sklearn.model_selection import ShuffleSplit

from benchmarks.contests import RowsJob, contest
from clary.algorithms.kit.batches import Batch

found = make_classification(110_000, 50, n_informative=20, flip_y=0.05, random_state=0)
features, labels = (array.astype(np.float32) for array in found)
rows, truth, asked, answers = features[:100_000], labels[:100_000], features[100_000:], labels[100_000:]
BINARY = {"predictor_type": "binary_classifier", "mini_batch_size": 1000}


def right(model: object) -> float:
    return float((model.predict(Batch(asked), {})["predicted_label"] == answers).mean())


contest(
    "100,000 x 50, one model",
    "scikit-learn SGDClassifier",
    RowsJob("linear-learner", rows, truth, num_models=1, learning_rate=0.01, wd=1e-6, l1=0, **BINARY),
    lambda: SGDClassifier(loss="log_loss", max_iter=15, tol=None, random_state=0).fit(rows, truth),
    "accuracy",
    right,
    lambda fitted: float(fitted.score(asked, answers)),
)
for reference, theirs in (
    (
        "scikit-learn LogisticRegressionCV, 32 settings",
        lambda: LogisticRegressionCV(Cs=32, cv=ShuffleSplit(1, test_size=0.1, random_state=0), max_iter=1000).fit(
            rows, truth
        ),
    ),
    ("scikit-learn LogisticRegression, one", lambda: LogisticRegression(max_iter=1000).fit(rows, truth)),
):
    contest(
        "100,000 x 50, 32 models",
        reference,
        RowsJob("linear-learner", rows, truth, **BINARY),
        theirs,
        "accuracy",
        right,
        lambda fitted: float(fitted.score(asked, answers)),
    )
