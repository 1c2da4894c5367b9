"""What a model is trained to make small, and how that grows with its scores.

All take the scores of many models at once, `(rows, models)` (`(rows, models, classes)` for the softmax), and labels
`(rows,)`; they give the loss of each row under each model and its derivative by the score, in the scores' shape.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.scores import sigmoid

Array = NDArray[np.float32]
Loss = Callable[[Array, Array], tuple[Array, Array]]


def loss_of(name: str, parameters: Mapping[str, Any]) -> Loss:
    width = np.float32(parameters["loss_insensitivity"])
    losses: dict[str, Loss] = {
        "logistic": logistic,
        "softmax_loss": softmax,
        "hinge_loss": lambda scores, labels: hinge(scores, labels, np.float32(parameters["margin"])),
        "squared_loss": squared,
        "absolute_loss": absolute,
        "eps_insensitive_squared_loss": lambda scores, labels: insensitive(squared, scores, labels, width),
        "eps_insensitive_absolute_loss": lambda scores, labels: insensitive(absolute, scores, labels, width),
        "quantile_loss": lambda scores, labels: quantile(scores, labels, np.float32(parameters["quantile"])),
        "huber_loss": lambda scores, labels: huber(scores, labels, np.float32(parameters["huber_delta"])),
    }
    return losses[name]


def probabilities(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Array = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def logistic(scores: Array, labels: Array) -> tuple[Array, Array]:
    label = labels[:, None]
    # log(1 + exp(score)), of which numpy makes several at a time, as it does not of `logaddexp`.
    whole = np.maximum(scores, 0) + np.log(np.float32(1) + np.exp(-np.abs(scores)))
    return whole - label * scores, sigmoid(scores) - label


def hinge(scores: Array, labels: Array, margin: np.float32) -> tuple[Array, Array]:
    sign = 2 * labels[:, None] - 1
    missing = margin - sign * scores
    return np.maximum(missing, 0), np.where(missing > 0, -sign, np.float32(0))


def squared(scores: Array, labels: Array) -> tuple[Array, Array]:
    error = scores - labels[:, None]
    return error * error, 2 * error


def absolute(scores: Array, labels: Array) -> tuple[Array, Array]:
    error = scores - labels[:, None]
    return np.abs(error), np.sign(error)


def insensitive(loss: Loss, scores: Array, labels: Array, width: np.float32) -> tuple[Array, Array]:
    """`loss` of what an error is beyond `width`."""
    error = scores - labels[:, None]
    beyond = np.sign(error) * np.maximum(np.abs(error) - width, 0)
    return loss(beyond, np.zeros_like(labels))


def quantile(scores: Array, labels: Array, share: np.float32) -> tuple[Array, Array]:
    error = labels[:, None] - scores
    slope = np.where(error > 0, share, share - 1)
    return slope * error, -slope


def huber(scores: Array, labels: Array, delta: np.float32) -> tuple[Array, Array]:
    error = scores - labels[:, None]
    near = np.abs(error) <= delta
    loss = np.where(near, error * error / 2, delta * (np.abs(error) - delta / 2))
    return loss, np.where(near, error, delta * np.sign(error))


def softmax(scores: Array, labels: Array) -> tuple[Array, Array]:
    shares = probabilities(scores)
    rows = np.arange(len(labels))
    own = shares[rows, :, labels.astype(np.int64)]
    slope = shares
    slope[rows, :, labels.astype(np.int64)] -= 1
    return -np.log(np.maximum(own, np.float32(1e-30))), slope
