"""Many linear models trained at once on the same rows: what differs are their learning rates and penalties.

    rows (rows, features) @ weights (features, models · classes) + bias ─▶ scores ─ loss ─▶ slopes ─▶ one step of all

To train thirty-two takes little longer than one, since the rows go through memory once. The one that does best on
the validation data is kept ("Step 2: Train" and "Step 3: Validate" of "How linear learner works").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.linear_learner.descent import Descent
from clary.algorithms.linear_learner.hyperparameters import TUNED_FOR
from clary.algorithms.linear_learner.losses import Loss

Array = NDArray[np.float32]

MODELS = 32
RATES = (0.01, 0.03, 0.003, 0.1)
DECAYS = (1e-6, 1e-3, 1e-4, 1e-2)
SPARSITIES = (0.0, 1e-4)
"""What is tried where the user leaves it open, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One number for each model."""

    rates: Array
    decays: Array
    """Weights of the squared weights in what is made small."""
    sparsities: Array
    """Weights of the absolute weights."""

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> "Plan":
        tried = [
            (given,) if (given := parameters[name]) != AUTO else options
            for name, options in (("l1", SPARSITIES), ("wd", DECAYS), ("learning_rate", RATES))
        ]
        points = list(product(*tried))
        wanted = MODELS if parameters["num_models"] == AUTO else parameters["num_models"]
        wanted = 1 if parameters[TUNED_FOR] else wanted
        # More than there are points are told apart by where they begin.
        rows = [points[number % len(points)] for number in range(wanted)]
        sparsities, decays, rates = np.array(rows, np.float32).T
        return cls(rates, decays, sparsities)

    @property
    def models(self) -> int:
        return len(self.rates)

    def told(self, number: int) -> dict[str, float]:
        """What is its own of one model, by the names of hyperparameters."""
        columns = {"learning_rate": self.rates, "l1": self.sparsities, "wd": self.decays}
        return {name: float(column[number]) for name, column in columns.items()}


class Population:
    def __init__(
        self,
        width: int,
        classes: int,
        plan: Plan,
        loss: Loss,
        parameters: Mapping[str, Any],
    ) -> None:
        """`classes` is 1 but for several classes, each of which has scores of its own."""
        self._plan = plan
        self._loss = loss
        self._classes = classes
        self._with_bias = parameters["use_bias"]
        random = np.random.default_rng(0)
        shape = (width, plan.models * classes)
        if parameters["init_method"] == "normal":
            start = random.normal(0, parameters["init_sigma"], shape)
        else:
            start = random.uniform(-parameters["init_scale"], parameters["init_scale"], shape)
        self.weights: Array = start.astype(np.float32)
        self.bias = np.full(shape[1], parameters["init_bias"] if self._with_bias else 0, np.float32)
        self._best = (self.weights.copy(), self.bias.copy())
        self._descent = Descent(self._of_columns(plan.rates), parameters)
        self._bias_decay = np.float32(0 if (given := parameters["bias_wd_mult"]) == AUTO else given)

    def _of_columns(self, numbers: Array) -> Array:
        """One number for each column of the weights."""
        return np.repeat(numbers, self._classes)

    def scores(self, features: Any) -> Array:
        """`(rows, models)`, with several classes `(rows, models, classes)`."""
        found = np.asarray(features @ self.weights) + self.bias
        return found.reshape(len(found), -1, self._classes) if self._classes > 1 else found

    def learn(self, features: Any, labels: Array, importance: Array) -> Array:
        """One step on these rows; the mean loss of each model before it. `importance` is each row's weight."""
        scores = self.scores(features)
        loss, slopes = self._loss(scores, labels)
        shares = importance / np.float32(len(labels))
        slopes = (slopes.reshape(len(labels), -1) * shares[:, None]).astype(np.float32)
        decay = self._of_columns(self._plan.decays)
        weights: Array = np.asarray(features.T @ slopes) + decay * self.weights
        bias: Array = slopes.sum(axis=0) + self._bias_decay * decay * self.bias
        self._descent.step(self.weights, weights, self.bias, bias if self._with_bias else None)
        self._thin_out()
        mean: Array = (shares @ loss.reshape(len(labels), -1)).astype(np.float32)
        return mean

    def loss(self, scores: Array, labels: Array) -> Array:
        """The loss of each row under each model."""
        return self._loss(scores, labels)[0]

    def _thin_out(self) -> None:
        """The step of the absolute weights' penalty: what is smaller becomes 0."""
        if self._plan.sparsities.any():
            threshold = self._of_columns(self._plan.sparsities) * self._descent.rates
            self.weights[:] = np.sign(self.weights) * np.maximum(np.abs(self.weights) - threshold, 0)

    def remember(self, models: NDArray[np.bool_]) -> None:
        """These models as they are now."""
        weights, bias = self._best
        columns = np.repeat(models, self._classes)
        weights[:, columns], bias[columns] = self.weights[:, columns], self.bias[columns]

    def take_best(self) -> None:
        """Each model becomes what was remembered of it."""
        self.weights, self.bias = self._best

    def model(self, number: int) -> tuple[Array, Array]:
        """Weights `(features, classes)` and bias `(classes)` of one."""
        columns = slice(number * self._classes, (number + 1) * self._classes)
        return self.weights[:, columns].copy(), self.bias[columns].copy()
