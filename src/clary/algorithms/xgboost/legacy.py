"""What releases of XGBoost before 1.3 do otherwise, which images up to 1.2 run.

Callbacks are functions of an environment there, a model is kept as a pickle, and before 1.0 a model does not tell what
it is but by its binary form.
"""

import struct
from collections.abc import Callable, Container, Sequence
from typing import Any

from clary.algorithms.xgboost.library import xgboost

MAGIC = b"binf"
core: Any = xgboost.core


def called_after_each_round(callbacks: Sequence[Any]) -> Callable[[Any], None]:
    """One function that calls `after_iteration` of all, and ends the training where one says so."""
    log: dict[str, dict[str, list[float]]] = {}

    def after_iteration(environment: Any) -> None:
        for entry in environment.evaluation_result_list:
            data, _, metric = entry[0].partition("-")
            log.setdefault(data, {}).setdefault(metric, []).append(entry[1])
        model, epoch = environment.model, environment.iteration
        wishes = [callback.after_iteration(model, epoch, log) for callback in callbacks]
        if any(wishes):
            raise core.EarlyStopException(epoch)

    return after_iteration


class Patience:
    """Ends the training when the validation data has seen nothing better for some rounds. The model keeps all rounds:
    these releases cannot cut one."""

    def __init__(self, rounds: int, metric: str | None, maximized: Container[str]) -> None:
        self._rounds = rounds
        self._metric = metric
        self._maximized = maximized
        self._best = float("inf")
        self._since = 0

    def after_iteration(self, _model: Any, _epoch: int, log: dict[str, dict[str, list[float]]]) -> bool:
        scores = log["validation"]
        metric = self._metric if self._metric in scores else list(scores)[-1]
        assert metric is not None
        latest = scores[metric][-1] * (-1 if metric.partition("@")[0] in self._maximized else 1)
        self._since = 0 if latest < self._best else self._since + 1
        self._best = min(self._best, latest)
        return self._since >= self._rounds


def read_binary(raw: bytes) -> tuple[str, int, int]:
    """Objective, classes and features of a model in the binary form of 0.90: `LearnerModelParam` of its
    `src/learner.cc`, 136 bytes that begin with (base_score, num_feature, num_class), and then the objective's name."""
    start = len(MAGIC) if raw.startswith(MAGIC) else 0
    _, features, classes = struct.unpack_from("<fIi", raw, start)
    (length,) = struct.unpack_from("<Q", raw, start + 136)
    return raw[start + 144 : start + 144 + length].decode(), classes, features
