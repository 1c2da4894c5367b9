"""Vectors of tokens that somebody else learned, from the channel `auxiliary`.

enc0_pretrained_embedding_file: a token and its numbers a line     enc0_vocab_file: {"token": its number}
"""

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from clary.algorithms.errors import UserError
from clary.algorithms.kit.job import Job
from clary.algorithms.object2vec.network import Network


def give_vectors(job: Job, network: Network, encoders: tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    """Put the vectors where the encoders look tokens up, and keep them as they are where that is asked for."""
    for encoder, settings in zip(network.encoders, encoders, strict=True):
        if settings["pretrained_embedding_file"]:
            weights = encoder.embedding.weight
            with torch.no_grad():
                for number, vector in _vectors(job, settings).items():
                    weights[number] = torch.from_numpy(vector)
            weights.requires_grad_(not settings["freeze_pretrained_embedding"])


def _vectors(job: Job, settings: Mapping[str, Any]) -> dict[int, Any]:
    if "auxiliary" not in job.channels:
        raise UserError("A pretrained embedding file is read from the channel auxiliary, which the job does not have.")
    directory, width = job.channels["auxiliary"].directory, settings["token_embedding_dim"]
    name = settings["pretrained_embedding_file"]
    try:
        with open(os.path.join(directory, settings["vocab_file"]), encoding="utf-8") as file:
            numbers = json.load(file)
        found: dict[int, Any] = {}
        with open(os.path.join(directory, name), encoding="utf-8") as file:
            for place, line in enumerate(file, 1):
                token, *values = line.split()
                if token in numbers and numbers[token] < settings["vocab_size"]:
                    if len(values) != width:
                        raise UserError(
                            f"{name}, line {place} has {len(values)} numbers, and token_embedding_dim is {width}."
                        )
                    found[numbers[token]] = np.array(values, np.float32)
        return found
    except (OSError, ValueError) as error:
        raise UserError(f"The vectors of the channel auxiliary cannot be read: {error}") from error
