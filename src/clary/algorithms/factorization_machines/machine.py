"""A factorization machine of second order (Rendle 2010), its scores and its slopes, on sparse or dense rows.

    score = bias + x·linear + ½ Σ_f [ (x·v_f)² - x²·v_f² ]

Which is the sum over all pairs of features of the product of both, times that of their factors, in time that grows with
the features that are there and not with their pairs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(slots=True)
class Machine:
    bias: Array
    """Of shape `(1,)`."""
    linear: Array
    """`(features,)`."""
    factors: Array
    """`(features, num_factors)`."""

    @classmethod
    def begin(cls, width: int, parameters: Mapping[str, Any]) -> "Machine":
        random = np.random.default_rng(0)
        shapes = {"bias": (1,), "linear": (width,), "factors": (width, parameters["num_factors"])}
        return cls(**{name: _start(name, shape, parameters, random) for name, shape in shapes.items()})

    @property
    def feature_dim(self) -> int:
        return len(self.linear)

    def scores(self, rows: Any) -> Array:
        return self.forward(rows).scores

    def forward(self, rows: Any) -> "Forward":
        squares = rows.multiply(rows) if hasattr(rows, "multiply") else rows * rows
        summed = np.asarray(rows @ self.factors)
        pairs = (summed * summed).sum(axis=1) - np.asarray(squares @ (self.factors**2).sum(axis=1)).ravel()
        scores = self.bias + np.asarray(rows @ self.linear).ravel() + np.float32(0.5) * pairs
        return Forward(scores.astype(np.float32), summed, squares)

    def slopes(self, rows: Any, seen: "Forward", by_score: Array) -> tuple[Array, Array, Array]:
        """By the bias, the linear weights and the factors, where `by_score` are those by each row's score."""
        linear = np.asarray(rows.T @ by_score).ravel()
        weighted = np.asarray(seen.squares.T @ by_score).ravel()
        factors = np.asarray(rows.T @ (by_score[:, None] * seen.summed)) - weighted[:, None] * self.factors
        return by_score.sum(keepdims=True), linear, factors


class Forward(NamedTuple):
    """What a machine makes of rows, and what its slopes need of the way there."""

    scores: Array
    summed: Array
    """The rows by the factors."""
    squares: Any
    """Those of the rows."""


def _start(name: str, shape: tuple[int, ...], parameters: Mapping[str, Any], random: np.random.Generator) -> Array:
    match parameters[f"{name}_init_method"]:
        case "constant":
            found = np.full(shape, parameters[f"{name}_init_value"] or 0.0)
        case "uniform":
            scale = parameters[f"{name}_init_scale"] or 0.0
            found = random.uniform(-scale, scale, shape)
        case _:
            found = random.normal(0, parameters[f"{name}_init_sigma"], shape)
    return found.astype(np.float32)
