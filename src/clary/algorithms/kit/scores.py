"""What scores are as probabilities, and how good they are, by the names of AWS's log.

    scores and labels of some rows ─ add ─▶ sums ─ together ─▶ those of all instances ─▶ told

Rows go by: what is kept of them are sums, whose size says nothing of how many rows there were.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.team import Team

Array = NDArray[np.float32]

LOSSES = ("mse", "absolute_loss")
"""What is told as a loss; all else is told as a score."""
RANK_BITS = 18
"""Of a score's sign, exponent and first digits: scores that are alike in those, to 0.2 %, are taken for equal."""


def sigmoid(scores: Array) -> Array:
    """Without overflow, and in single precision."""
    shares: Array = np.float32(0.5) * (np.tanh(np.float32(0.5) * scores) + np.float32(1))
    return shares


def f_beta(precision: float, recall: float, beta: float) -> float:
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def name_of_f(prefix: str, beta: float) -> str:
    """What AWS's log calls an F-beta score: `binary_f_1.000`."""
    return f"{prefix}_f_{beta:.3f}"


class Judgement(ABC):
    """How good scores are."""

    def __init__(self, *shapes: tuple[int, ...]) -> None:
        self._sums: list[NDArray[Any]] = [np.zeros(shape) for shape in shapes]

    @abstractmethod
    def add(self, scores: Array, labels: Array) -> None: ...

    @abstractmethod
    def told(self) -> dict[str, float]:
        """Of all rows that were added, of which there is one."""

    def together(self, team: Team) -> None:
        """Take in what all instances have added."""
        self._sums = team.sum(*self._sums)


class Binary(Judgement):
    """Of scores `(rows,)`, which say 1 from `threshold` on."""

    def __init__(self, threshold: float, beta: float) -> None:
        super().__init__((2, 2), (2, 1 << RANK_BITS))
        self._threshold, self._beta = threshold, beta

    def add(self, scores: Array, labels: Array) -> None:
        rows, ranks = self._sums
        truth = (labels == 1).astype(np.intp)
        np.add.at(rows, (truth, (scores >= self._threshold).astype(np.intp)), 1)
        np.add.at(ranks, (truth, _ranked(scores)), 1)

    def told(self) -> dict[str, float]:
        rows, ranks = self._sums
        hits = float(rows[1, 1])
        precision, recall = hits / max(float(rows[:, 1].sum()), 1), hits / max(float(rows[1].sum()), 1)
        return {
            "binary_classification_accuracy": float(rows.trace() / rows.sum()),
            name_of_f("binary", self._beta): f_beta(precision, recall, self._beta),
            "precision": precision,
            "recall": recall,
            "roc_auc_score": _area(*ranks),
        }


class Multiclass(Judgement):
    """Of scores `(rows, classes)`."""

    def __init__(self, classes: int, parameters: Mapping[str, Any]) -> None:
        super().__init__((3, classes), (3,))
        self._asked, self._beta = parameters["accuracy_top_k"], parameters["f_beta"]

    def add(self, scores: Array, labels: Array) -> None:
        truth, found = labels.astype(np.intp), scores.argmax(axis=1)
        for sums, classes in zip(self._sums[0], (truth, found, truth[truth == found]), strict=True):
            np.add.at(sums, classes, 1)
        rank = (scores > scores[np.arange(len(truth)), truth][:, None]).sum(axis=1)
        self._sums[1] += (len(truth), (rank < self._asked).sum(), (1 / np.log2(rank + 2)).sum())

    def told(self) -> dict[str, float]:
        (truth, found, hits), (rows, top, gain) = self._sums
        # Of classes that there are: 0 where there is nothing to divide by.
        pairs = [
            (hit / max(said, 1), hit / there) for there, said, hit in zip(truth, found, hits, strict=True) if there
        ]
        precision, recall, f = np.mean([(*pair, f_beta(*pair, self._beta)) for pair in pairs], axis=0)
        return {
            "multiclass_accuracy": float(hits.sum() / rows),
            f"multiclass_top_k_accuracy_{self._asked}": float(top / rows),
            "dcg": float(gain / rows),
            "macro_precision": float(precision),
            "macro_recall": float(recall),
            name_of_f("macro", self._beta): float(f),
            "multiclass_balanced_accuracy": float(recall),
        }


class Regression(Judgement):
    """Of scores `(rows,)`."""

    def __init__(self) -> None:
        super().__init__((5,))

    def add(self, scores: Array, labels: Array) -> None:
        truth = labels.astype(np.float64)
        error = scores - truth
        self._sums[0] += (len(truth), error @ error, np.abs(error).sum(), truth.sum(), truth @ truth)

    def told(self) -> dict[str, float]:
        rows, squares, amounts, total, labels = map(float, self._sums[0])
        spread = labels - total**2 / rows
        return {
            "mse": squares / rows,
            "absolute_loss": amounts / rows,
            "r2": 1 - squares / spread if spread > 0 else 0.0,
        }


def _ranked(scores: Array) -> NDArray[np.uint32]:
    """Numbers in the order of the scores: the bits of positive ones are, and those of negative ones the other way."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)
    ordered = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    ranks: NDArray[np.uint32] = ordered >> np.uint32(32 - RANK_BITS)
    return ranks


def _area(negative: NDArray[np.float64], positive: NDArray[np.float64]) -> float:
    """The share of pairs that are in order (Mann and Whitney), equal ones half; 0.5 where a class is missing."""
    pairs = float(negative.sum() * positive.sum())
    if not pairs:
        return 0.5
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / pairs)
