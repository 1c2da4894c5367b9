"""Which of the models is kept, and from which score on it says yes.

Both follow `binary_classifier_model_selection_criteria`, on the validation data or, where there is none, on the
training data. All thresholds between two scores are tried: sorted once, each is one more row that is found.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.kit.team import Team

Array = NDArray[np.float32]

BY_LOSS = ("loss_function", "cross_entropy_loss")
CALIBRATION = 100_000
"""Rows on which a threshold is found, where `auto` is."""
MIDDLE = 0.0
"""The score, before any sigmoid, at which both classes are as likely."""


class Choice(NamedTuple):
    worth: float
    """From 0 to 1, which is best."""
    threshold: float


class Sample:
    """The first rows of some data as all models score them."""

    def __init__(self, models: int, parameters: Mapping[str, Any]) -> None:
        asked = parameters["num_calibration_samples"]
        self._parameters = parameters
        self._wanted = CALIBRATION if asked == AUTO else asked
        self._scores = [np.empty((0, models), np.float32)]
        self._labels = [np.empty(0, np.float32)]
        self._rows = 0

    @property
    def full(self) -> bool:
        return self._rows >= self._wanted

    def add(self, scores: Array, labels: Array) -> None:
        """Scores are `(rows, models)`. Those of rows beyond the wanted ones are not looked at."""
        left = self._wanted - self._rows
        self._scores.append(scores[:left])
        self._labels.append(labels[:left])
        self._rows += len(self._labels[-1])

    def choices(self, team: Team) -> list[Choice]:
        """What is best for each model, by the rows of all instances."""
        parts = team.gather({"scores": np.concatenate(self._scores), "labels": np.concatenate(self._labels)})
        scores, labels = (np.concatenate([part[name] for part in parts]) for name in ("scores", "labels"))
        return [best_threshold(each, labels, MIDDLE, self._parameters) for each in scores.T]


def best_threshold(scores: Array, labels: Array, middle: float, parameters: Mapping[str, Any]) -> Choice:
    """Of one model's scores; `middle` is the threshold where the criterion tells none from another."""
    ranked, hits = _ranked(scores, labels == 1)
    # A threshold lies where scores change: rows of one score are found together or not at all.
    last = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    found, hit = last + 1.0, hits[last].astype(np.float64)
    worth = _worth(hit, found, float(hits[-1]), len(labels), parameters)
    place = int(worth.argmax())
    if not np.isfinite(worth[place]):
        return Choice(0, middle)
    below = ranked[last[place] + 1] if last[place] + 1 < len(ranked) else ranked[last[place]]
    at = float(ranked[last[place]])
    # Half-way to the next score, and not beyond the middle where that does as well.
    half = (at + float(below)) / 2
    return Choice(float(worth[place]), middle if float(below) < middle <= at else half)


def _ranked(scores: Array, truth: NDArray[np.bool_]) -> tuple[Array, NDArray[np.int64]]:
    """The scores, the greatest first, and how many rows are true up to each.

    What is sorted are the scores alone, which numpy does several times as fast as it finds their order: the last bit of
    each tells which row it is of.
    """
    bits = scores.astype(np.float32).view(np.int32)
    marked = np.sort(((bits & ~1) | truth).view(np.float32))[::-1].view(np.int32)
    return (marked & ~1).view(np.float32), np.cumsum(marked & 1)


def _worth(
    hit: NDArray[np.float64], found: NDArray[np.float64], positives: float, rows: int, parameters: Mapping[str, Any]
) -> NDArray[np.float64]:
    precision, recall = hit / found, hit / max(positives, 1)
    criterion = parameters["binary_classifier_model_selection_criteria"]
    if criterion == "accuracy":
        missed = positives - hit
        return 1 - (missed + found - hit) / rows
    if criterion in ("f1", "f_beta"):
        beta = 1.0 if criterion == "f1" else parameters["f_beta"]
        return (1 + beta**2) * hit / (beta**2 * positives + found)
    if criterion == "precision_at_target_recall":
        return np.where(recall >= parameters["target_recall"], precision, -np.inf)
    return np.where(precision >= parameters["target_precision"], recall, -np.inf)
