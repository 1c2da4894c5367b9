"""Trained networks: kept in a model's directory, or downloaded by torchvision."""

import json
import os
from collections.abc import Mapping
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from clary.algorithms.errors import UserError
from clary.algorithms.kit.weights import save_weights
from clary.algorithms.vision.library import models
from clary.toolkits.layout import opt_ml

WEIGHTS, FACTS = "model.pt", "model-shapes.json"
CHECKPOINT = "model-{:04d}.pt"
"""Of the epoch of that number, from 1."""
MODEL = "model"
"""The channel of what was trained before."""


def save(weights: Mapping[str, Tensor], facts: Mapping[str, Any], directory: str) -> None:
    """`facts` are what JSON holds."""
    save_weights(weights, os.path.join(directory, WEIGHTS))
    with open(os.path.join(directory, FACTS), "w") as file:
        json.dump(facts, file)


def keep(weights: Mapping[str, Tensor], epoch: int, directory: str) -> None:
    """A checkpoint, which becomes part of the model's archive."""
    torch.save(dict(weights), os.path.join(directory, CHECKPOINT.format(epoch)))


def read(directory: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    with open(os.path.join(directory, FACTS)) as file:
        facts: dict[str, Any] = json.load(file)
    weights = torch.load(os.path.join(directory, WEIGHTS), map_location="cpu", weights_only=True)
    return weights, facts


def earlier(asked: Mapping[str, Any]) -> dict[str, Tensor]:
    """The weights in the channel `model`; raises `UserError` where that model is not of the kind that is asked for."""
    try:
        weights, facts = read(opt_ml("input", "data", MODEL))
    except FileNotFoundError as error:
        raise UserError(
            f"The channel {MODEL!r} holds no model of this algorithm: it lacks {error.filename}."
        ) from error
    except (OSError, ValueError, RuntimeError, EOFError, UnpicklingError) as error:
        raise UserError(f"The channel {MODEL!r} holds no model of this algorithm: {error}") from error
    if different := [name for name, value in asked.items() if facts.get(name) != value]:
        raise UserError(
            f"The model of the channel {MODEL!r} has other {' and '.join(different)} than the hyperparameters."
        )
    return weights


def pretrained(name: str) -> dict[str, Tensor]:
    """torchvision's network of that name as ImageNet trained it. Raises `UserError` where it cannot be downloaded."""
    try:
        weights: dict[str, Tensor] = models.get_model(name, weights="DEFAULT").state_dict()
    except ValueError as error:
        raise UserError(f"There are no pretrained weights of {name}: {error}") from error
    except OSError as error:
        raise UserError(
            f"use_pretrained_model needs weights of {name} that torchvision downloads, and this instance cannot reach "
            f"them ({error}): give a trained model in the channel {MODEL!r}, or switch use_pretrained_model off."
        ) from error
    return weights
