"""What happens after each round of boosting: a log line, a checkpoint, a look whether to stop."""

import os
import re
import signal
import threading
from collections.abc import Callable
from typing import Any

from clary.algorithms.xgboost.library import Callback, xgboost
from clary.algorithms.xgboost.model import load_model, save_model

CHECKPOINT = "xgboost-checkpoint"
KEPT = 5
"""Checkpoints kept, the newest."""

EvaluationLog = dict[str, dict[str, Any]]
"""Data → metric → its value after each round."""


class RoundLog(Callback):  # type: ignore[misc]
    """Prints `[3]#011train-rmse:2.31#011validation-rmse:2.42`, the line that AWS's metric definitions look for.

    `#011` is a tab as AWS's logs show it.
    """

    def __init__(self, first_round: int = 0) -> None:
        self.first_round = first_round

    def after_iteration(self, _model: Any, epoch: int, evals_log: EvaluationLog) -> bool:
        scores = [
            f"#011{data}-{metric}:{values[-1]:.5f}"
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        ]
        print(f"[{self.first_round + epoch}]{''.join(scores)}", flush=True)
        return False


class StopOnSigterm(Callback):  # type: ignore[misc]
    """Ends the training after the round in which SIGTERM came, so that the model so far is saved as usual."""

    def __init__(self) -> None:
        self.stopped = False
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _signum: int, _frame: object) -> None:
        self.stopped = True

    def after_iteration(self, _model: Any, _epoch: int, _evals_log: EvaluationLog) -> bool:
        return self.stopped


class StopTogether(Callback):  # type: ignore[misc]
    """The same for a host of several, which all end after the same round, though SIGTERM comes to each at a time of its
    own. A thread is there to take it: in the main one it would interrupt the communicator, which then gives up (seen
    in 1.7)."""

    def __init__(self) -> None:
        self.stopped = False
        self._agrees: Callable[[bool], bool] | None = None
        self._told, writing = os.pipe()
        os.set_blocking(writing, False)
        signal.set_wakeup_fd(writing)
        signal.signal(signal.SIGTERM, lambda _signum, _frame: None)
        threading.Thread(target=self._wait, daemon=True).start()
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def begin(self, agrees: Callable[[bool], bool]) -> None:
        """`agrees` turns this host's wish to stop into that of all. Until then SIGTERM ends the process."""
        self._agrees = agrees

    def _wait(self) -> None:
        os.read(self._told, 1)
        if self._agrees is None:
            os._exit(128 + signal.SIGTERM)
        self.stopped = True

    def after_iteration(self, _model: Any, _epoch: int, _evals_log: EvaluationLog) -> bool:
        assert self._agrees
        return self._agrees(self.stopped)


class Checkpoints(Callback):  # type: ignore[misc]
    """Writes `xgboost-checkpoint.<round>` after each round and keeps the newest few."""

    def __init__(self, directory: str, first_round: int) -> None:
        self.directory = directory
        self.first_round = first_round

    def after_iteration(self, model: Any, epoch: int, _evals_log: EvaluationLog) -> bool:
        number = self.first_round + epoch
        save_model(model, self._path(number))
        stale = self._path(number - KEPT)
        if os.path.exists(stale):
            os.unlink(stale)
        return False

    def _path(self, number: int) -> str:
        return os.path.join(self.directory, f"{CHECKPOINT}.{number}")


def find_checkpoint(directory: str) -> tuple["xgboost.Booster | None", int]:
    """The newest checkpoint that can be read, and the round to go on with; (None, 0) where there is none."""
    numbers = [re.fullmatch(rf"{CHECKPOINT}\.(\d+)", name) for name in os.listdir(directory)]
    for number in sorted((int(match[1]) for match in numbers if match), reverse=True):
        try:
            return load_model(os.path.join(directory, f"{CHECKPOINT}.{number}")), number + 1
        except RuntimeError:
            continue
    return None, 0
