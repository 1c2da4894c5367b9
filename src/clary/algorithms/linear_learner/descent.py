"""Gradient descent of many models at once: each column of the weights has a learning rate of its own, which falls."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.descent import Adam, Direction, Momentum, RmsProp
from clary.algorithms.kit.parameters import AUTO

Array = NDArray[np.float32]

DEFAULTS: Mapping[str, Any] = {
    "optimizer": "adam",
    "momentum": 0.9,
    "beta_1": 0.9,
    "beta_2": 0.999,
    "bias_lr_mult": 1.0,
    "lr_scheduler_step": 10,
    "lr_scheduler_factor": 0.99,
    "lr_scheduler_minimum_lr": 1e-5,
}
"""What `auto` means."""
COMMON = ("optimizer", "lr_scheduler_step", "lr_scheduler_factor", "lr_scheduler_minimum_lr")


def setting(parameters: Mapping[str, Any], name: str) -> Any:
    return DEFAULTS[name] if parameters[name] == AUTO else parameters[name]


def common(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What AWS's log tells of the best model, and all models of a job have alike."""
    return {name: setting(parameters, name) for name in COMMON}


class Descent:
    def __init__(self, rates: Array, parameters: Mapping[str, Any]) -> None:
        self.rates = rates
        """Of each column, as they are now."""
        self._first = rates
        self._given = parameters
        self._steps = 0
        self._weights = self._direction()
        self._bias = self._direction()

    def step(self, weights: Array, slopes: Array, bias: Array, bias_slopes: Array | None) -> None:
        """Moves both in place; a bias without slopes stays."""
        self._steps += 1
        if self._given["use_lr_scheduler"]:
            self.rates = self._scheduled()
        weights -= self.rates * self._weights.of(slopes)
        if bias_slopes is not None:
            bias -= np.float32(self._setting("bias_lr_mult")) * self.rates * self._bias.of(bias_slopes)

    def _direction(self) -> Direction:
        match self._given["optimizer"]:
            case "sgd":
                return Momentum(self._setting("momentum"))
            case "rmsprop":
                return RmsProp()
        return Adam(self._setting("beta_1"), self._setting("beta_2"))

    def _scheduled(self) -> Array:
        falls = self._steps // int(self._setting("lr_scheduler_step"))
        lowest = np.minimum(self._first, np.float32(self._setting("lr_scheduler_minimum_lr")))
        rates: Array = np.maximum(self._first * np.float32(self._setting("lr_scheduler_factor")) ** falls, lowest)
        return rates

    def _setting(self, name: str) -> float:
        value: float = setting(self._given, name)
        return value
