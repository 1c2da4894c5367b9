"""Metrics that the algorithm adds to XGBoost's own, all of them scikit-learn's."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCORES: dict[str, tuple[str, str | None]] = {
    "accuracy": ("accuracy_score", None),
    "balanced_accuracy": ("balanced_accuracy_score", None),
    "f1": ("f1_score", "macro"),
    "f1_binary": ("f1_score", "binary"),
    "f1_macro": ("f1_score", "macro"),
    "mse": ("mean_squared_error", None),
    "precision": ("precision_score", "binary"),
    "precision_macro": ("precision_score", "macro"),
    "precision_micro": ("precision_score", "micro"),
    "r2": ("r2_score", None),
    "recall": ("recall_score", "binary"),
    "recall_macro": ("recall_score", "macro"),
    "recall_micro": ("recall_score", "micro"),
}
"""Metric → function of `sklearn.metrics`, and how it averages over classes."""

CONTINUOUS = ("mse", "r2")
"""Metrics of the predicted value; the others are of the predicted class."""

Evaluate = Callable[[NDArray[Any], Any], list[tuple[str, float]]]


def evaluation_of(names: list[str]) -> Evaluate | None:
    """XGBoost's `custom_metric` for those of `names` that it does not know itself; None where it knows all."""
    wanted = [name for name in names if name in SCORES]
    if not wanted:
        return None
    from sklearn import metrics  # Takes a second to import, and few jobs need it.

    def evaluate(predictions: NDArray[Any], matrix: Any) -> list[tuple[str, float]]:
        truth = matrix.get_label()
        classes = predictions.argmax(axis=1) if predictions.ndim > 1 else np.round(predictions)
        results = []
        for name in wanted:
            function, average = SCORES[name]
            options = {"average": average, "zero_division": 0} if average else {}
            predicted = predictions if name in CONTINUOUS else classes
            results.append((name, float(getattr(metrics, function)(truth, predicted, **options))))
        return results

    return evaluate
