"""A linear model for rows as they come: what is left in /opt/ml/model, and what serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.artifacts import load_network, save_network
from clary.algorithms.kit.base import Columns
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.scores import sigmoid
from clary.algorithms.linear_learner.hyperparameters import BINARY, MULTICLASS, OBJECTIVES
from clary.algorithms.linear_learner.losses import loss_of, probabilities

WEIGHTS, BIAS = "arg:fc0_weight", "arg:fc0_bias"

Array = NDArray[np.float32]


def objective(loss: str) -> str:
    """What AWS's log calls that which is made small."""
    return f"{OBJECTIVES.get(loss, loss)}_objective"


@dataclass(frozen=True, slots=True)
class Linear:
    weights: Array
    """`(features, 1)`, of several classes `(features, classes)`."""
    bias: Array
    kind: str
    loss: str
    threshold: float
    """The score from which on a binary classifier says 1, before any sigmoid."""

    @property
    def feature_dim(self) -> int:
        return len(self.weights)

    def raw_scores(self, batch: Batch) -> Array:
        """`(rows, classes)`."""
        found: Array = np.asarray(batch.features @ self.weights) + self.bias
        return found

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        raw = self.raw_scores(batch)
        if self.kind == MULTICLASS:
            return {"score": probabilities(raw), "predicted_label": raw.argmax(axis=1)}
        score = sigmoid(raw[:, 0]) if self.loss == "logistic" else raw[:, 0]
        if self.kind == BINARY:
            return {"score": score, "predicted_label": (raw[:, 0] >= self.threshold).astype(np.int64)}
        return {"score": score}

    def losses(self, scores: Array, labels: Array, parameters: Mapping[str, Any]) -> Array:
        """Of raw scores, one for each row."""
        by_model = scores[:, None, :] if self.kind == MULTICLASS else scores
        return loss_of(self.loss, parameters)(by_model, labels)[0]

    def save(self, directory: str) -> None:
        facts = {"predictor_type": self.kind, "loss": self.loss, "threshold": self.threshold}
        save_network(directory, {WEIGHTS: np.ascontiguousarray(self.weights.T), BIAS: self.bias}, facts)

    @classmethod
    def load(cls, directory: str) -> "Linear":
        arrays, facts = load_network(directory)
        weights = np.ascontiguousarray(arrays[WEIGHTS].T)
        return cls(weights, arrays[BIAS], facts["predictor_type"], facts["loss"], facts["threshold"])
