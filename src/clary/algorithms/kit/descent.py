"""Directions of gradient descent: which way a parameter goes, from its slopes so far. Each parameter has its own.

Momentum is Polyak's, RMSProp Hinton's, Adam that of Kingma and Ba (2015).
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

EPS = 1e-8
"""Keeps what is divided by from being 0."""


class Direction(Protocol):
    def of(self, slope: Array) -> Array:
        """What is to be taken off the parameter, but for the learning rate."""
        ...


class Momentum:
    def __init__(self, share: float) -> None:
        """`share` of the last step goes into the next one."""
        self._share = np.float32(share)
        self._velocity: Array | None = None

    def of(self, slope: Array) -> Array:
        if self._velocity is None:
            self._velocity = np.zeros_like(slope)
        self._velocity *= self._share
        self._velocity += slope
        return self._velocity


class RmsProp:
    def __init__(self, decay: float = 0.95) -> None:
        self._decay = np.float32(decay)
        self._squares: Array | None = None

    def of(self, slope: Array) -> Array:
        if self._squares is None:
            self._squares = np.zeros_like(slope)
        self._squares *= self._decay
        self._squares += (1 - self._decay) * slope * slope
        return (slope / (np.sqrt(self._squares) + np.float32(EPS))).astype(np.float32)


class Adam:
    def __init__(self, first: float = 0.9, second: float = 0.999, tiny: float = EPS) -> None:
        self._first, self._second, self._tiny = np.float32(first), np.float32(second), np.float32(tiny)
        self._mean: Array | None = None
        self._squares: Array | None = None
        self._steps = 0

    def of(self, slope: Array) -> Array:
        if self._mean is None or self._squares is None:
            self._mean, self._squares = np.zeros_like(slope), np.zeros_like(slope)
        self._steps += 1
        self._mean *= self._first
        self._mean += (1 - self._first) * slope
        self._squares *= self._second
        self._squares += (1 - self._second) * slope * slope
        root = np.sqrt(self._squares / (1 - self._second**self._steps)) + self._tiny
        direction: Array = (self._mean / ((1 - self._first**self._steps) * root)).astype(np.float32)
        return direction
