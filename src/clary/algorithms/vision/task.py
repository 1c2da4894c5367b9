"""The contract of an algorithm on pictures: its mathematics, which `Training` learns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

Sums = NDArray[np.float64]


class Task(Protocol):
    network: nn.Module
    """As it begins. Training moves it to the device, and keeps its weights of the best epoch."""
    facts: Mapping[str, Any]
    """What is to be known of the weights: what JSON holds."""
    items: Mapping[str, Sequence[Any]]
    """What there is to see, by the names of its channels, in whatever form: `train`, and perhaps `validation`."""
    decayed: Sequence[str]
    """Optimizers for which `weight_decay` counts."""

    def view(self, item: Any, random: np.random.Generator | None) -> Any:
        """How the network sees an item: varied by the random numbers in training, else whole. Called on threads."""
        ...

    def batch(self, views: Sequence[Any]) -> Any:
        """Tensors, alone or in tuples, lists and dictionaries. Called on threads; Training moves it to the device."""
        ...

    def loss(self, batch: Any) -> tuple[Tensor, Tensor]:
        """What is to become less; and numbers that are added up over a pass and all instances, for `tell`."""
        ...

    def tell(self, epoch: int, sums: Sums) -> float:
        """Print what a pass over `train` came to. How good that is: it counts where there is no `validation`."""
        ...

    def judge(self, epoch: int, batches: Iterator[Any]) -> float:
        """Print how the network fares on `validation`; the number that is highest at the best epoch, which must be
        the same on all instances."""
        ...
