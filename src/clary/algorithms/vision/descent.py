"""How a network on pictures goes down: its optimizer, and how the learning rate falls."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from torch import nn, optim

POWER = 0.9
"""Of the polynomial by which the learning rate falls."""
WARMING = 5
"""Steps after which the learning rate is whole: the first gradients of a network that knows nothing are the wildest."""


def optimizer_of(weights: Iterable[nn.Parameter], given: Mapping[str, Any], decay: float) -> optim.Optimizer:
    """The one that the hyperparameters ask for; what an algorithm has no hyperparameter for is as MXNet has it."""
    rate = given["learning_rate"]
    match given["optimizer"]:
        case "adam":
            betas = given.get("beta_1", 0.9), given.get("beta_2", 0.999)
            return optim.Adam(weights, rate, betas, given.get("eps", 1e-8), decay, fused=True)
        case "adagrad":
            return optim.Adagrad(weights, rate, weight_decay=decay)
        case "adadelta":
            return optim.Adadelta(weights, rate, weight_decay=decay)
        case "rmsprop":
            share, momentum = given.get("gamma", given.get("gamma1", 0.9)), given.get("gamma2", 0)
            return optim.RMSprop(weights, rate, share, given.get("eps", 1e-8), decay, momentum)
    nesterov = given["optimizer"] == "nag" and given["momentum"] > 0
    return optim.SGD(weights, rate, given["momentum"], weight_decay=decay, nesterov=nesterov, fused=True)


def rate_at(given: Mapping[str, Any], epoch: int, steps: int) -> float:
    """The learning rate in that epoch, after so many steps in all."""
    rate: float = given["learning_rate"] * min(1, (steps + 1) / (WARMING + 1))
    planned = given["epochs"] * math.ceil(given["num_training_samples"] / given["mini_batch_size"])
    left = max(1 - steps / planned, 0)
    match given.get("lr_scheduler", "step"):
        case "poly":
            return rate * math.pow(left, POWER)
        case "cosine":
            return rate * (1 - math.cos(math.pi * left)) / 2
    falls = sum(epoch >= step for step in given["lr_scheduler_step"] or ())
    return rate * math.pow(given["lr_scheduler_factor"], falls)
