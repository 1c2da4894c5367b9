"""What scores are as probabilities, and how good they are, by the names of AWS's log, where all of them are at hand."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

LOSSES = ("mse", "absolute_loss")
"""What is told as a loss; all else is told as a score."""


def sigmoid(scores: Array) -> Array:
    """Without overflow, and in single precision."""
    shares: Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * scores) + np.float32(1))
    return shares


def of_classes(truth: NDArray[np.bool_], found: NDArray[np.bool_], beta: float) -> tuple[float, float, float]:
    """Precision, recall and F-beta of one class: 0 where there is nothing to divide by."""
    hits = float((truth & found).sum())
    precision = hits / max(float(found.sum()), 1)
    recall = hits / max(float(truth.sum()), 1)
    return precision, recall, f_beta(precision, recall, beta)


def f_beta(precision: float, recall: float, beta: float) -> float:
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def name_of_f(prefix: str, beta: float) -> str:
    """What AWS's log calls an F-beta score: `binary_f_1.000`."""
    return f"{prefix}_f_{beta:.3f}"


def binary(scores: Array, labels: Array, threshold: float, beta: float) -> dict[str, float]:
    truth, found = labels == 1, scores >= threshold
    precision, recall, f = of_classes(truth, found, beta)
    return {
        "binary_classification_accuracy": float((truth == found).mean()),
        name_of_f("binary", beta): f,
        "precision": precision,
        "recall": recall,
        "roc_auc_score": roc_auc(scores, truth),
    }


def roc_auc(scores: Array, truth: NDArray[np.bool_]) -> float:
    """The share of pairs that are in order, by ranks (Mann and Whitney); 0.5 where one of the classes is missing."""
    from scipy.stats import rankdata

    positives = int(truth.sum())
    pairs = positives * (len(truth) - positives)
    if not pairs:
        return 0.5
    return float((rankdata(scores)[truth].sum() - positives * (positives + 1) / 2) / pairs)


def multiclass(scores: Array, labels: Array, parameters: Mapping[str, Any]) -> dict[str, float]:
    """`scores` are `(rows, classes)`."""
    classes, found = labels.astype(np.int64), scores.argmax(axis=1)
    top = min(parameters["accuracy_top_k"], scores.shape[1])
    own = scores[np.arange(len(classes)), classes]
    rank = (scores > own[:, None]).sum(axis=1)
    parts = np.array(
        [of_classes(classes == each, found == each, parameters["f_beta"]) for each in np.unique(classes)]
    ).mean(axis=0)
    return {
        "multiclass_accuracy": float((found == classes).mean()),
        f"multiclass_top_k_accuracy_{parameters['accuracy_top_k']}": float((rank < top).mean()),
        "dcg": float((1 / np.log2(rank + 2)).mean()),
        "macro_precision": parts[0],
        "macro_recall": parts[1],
        name_of_f("macro", parameters["f_beta"]): parts[2],
    }


def regression(scores: Array, labels: Array) -> dict[str, float]:
    error = scores.astype(np.float64) - labels
    spread = float(np.square(labels - labels.mean(dtype=np.float64)).sum())
    return {
        "mse": float(np.square(error).mean()),
        "absolute_loss": float(np.abs(error).mean()),
        "r2": 1 - float(np.square(error).sum()) / spread if spread else 0.0,
    }
