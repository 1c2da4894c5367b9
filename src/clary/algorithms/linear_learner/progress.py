"""How far the models of a job have come: which state of each is its best, and whether it is time to leave off.

Both go by what is to become small ("early_stopping_patience" of "Linear learner hyperparameters"): what the selection
criterion lacks to 1 where it is judged on validation data, else the loss. So accuracy counts by its errors, as in AWS's
own jobs, which go on from 0.9946 to 0.9948: better by 3 % of the errors, and by 0.02 % of itself.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]


class Progress:
    def __init__(self, models: int, parameters: Mapping[str, Any]) -> None:
        self._tolerance: float = parameters["early_stopping_tolerance"]
        self._patience: int = parameters["early_stopping_patience"]
        self._shortfalls: Array = np.full(models, np.inf)
        self.losses: Array = np.full(models, np.inf)
        """Of each model in its best state."""
        self.least = np.inf
        """The shortfall of the model that does best now."""
        self.stalled = 0
        """Epochs since the best model was better than any before by more than the tolerance."""
        self._best = np.inf

    def see(self, shortfalls: Array, losses: Array) -> NDArray[np.bool_]:
        """After an epoch: which models are better than they ever were. None is that has run away to no number."""
        as_good: NDArray[np.bool_] = (shortfalls == self._shortfalls) & (losses < self.losses)
        better: NDArray[np.bool_] = as_good | (shortfalls < self._shortfalls)
        self._shortfalls = np.where(better, shortfalls, self._shortfalls)
        self.losses = np.where(better, losses, self.losses)
        self.least = float(np.fmin.reduce(shortfalls))
        gain = self._best - self.least
        if gain > 0 and gain >= self._tolerance * self._best:
            self._best, self.stalled = self.least, 0
        else:
            self.stalled += 1
        return better

    @property
    def is_over(self) -> bool:
        return self.stalled >= self._patience
