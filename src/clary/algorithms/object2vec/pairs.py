"""Pairs of objects, each a list of numbers of tokens, and how they are related.

    {"label": 1, "in0": [6, 17, 606], "in1": [16, 21]} a line

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/object2vec-training-formats.html.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.channels import Channel
from clary.algorithms.kit.files import json_lines
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.kit.ragged import Numbers, Ragged
from clary.algorithms.object2vec.hyperparameters import encoder_settings

SIDES = ("in0", "in1")
FARTHEST = float(np.finfo(np.float32).max)
"""From 0, that a label may be."""


@dataclass(frozen=True, slots=True)
class Side:
    """What one encoder takes."""

    words: int
    """Tokens are from 0 to one less."""
    longest: int

    def tokens(self, given: Any, name: str) -> Numbers:
        """Raises `ValueError` that says what is wrong."""
        if not isinstance(given, list) or not given or not all(type(token) is int for token in given):
            raise ValueError(f"{name} is no list of whole numbers")
        kept = given[: self.longest]
        if min(kept) < 0 or max(kept) >= self.words:
            worst = max(kept) if max(kept) >= self.words else min(kept)
            raise ValueError(f"{name} has the token {worst}, and tokens are from 0 to {self.words - 1}")
        return np.array(kept, np.int64)


@dataclass(frozen=True, slots=True)
class Pairs:
    left: Ragged
    right: Ragged
    labels: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True, slots=True)
class Corpus:
    sides: tuple[Side, Side]
    pairs: Mapping[str, Pairs]
    """By channel."""


def prepare(job: Job) -> Corpus:
    """What is to be learned; raises `UserError` for what is not as it must be."""
    if job.team.size > 1:
        raise UserError(f"Object2Vec trains on one instance, and there are {job.team.size}.")
    settings = [encoder_settings(job.parameters, name) for name in ("enc0", "enc1")]
    sides = (
        Side(settings[0]["vocab_size"], settings[0]["max_seq_len"]),
        Side(settings[1]["vocab_size"], settings[1]["max_seq_len"]),
    )
    classes = job.parameters["num_classes"] if job.parameters["output_layer"] == "softmax" else 0
    names = [name for name in job.channels if name != "auxiliary"]
    return Corpus(sides, {name: _read(job.channels[name], sides, classes) for name in names})


def _read(channel: Channel, sides: tuple[Side, Side], classes: int) -> Pairs:
    left, right, labels = [], [], []
    for path in channel.files(0):
        for where, row in json_lines(path):
            try:
                one, other, label = _pair(row, sides, classes)
            except ValueError as error:
                raise UserError(f"{where}: {error}") from error
            left.append(one)
            right.append(other)
            labels.append(label)
    if not labels:
        raise no_data(channel.name)
    return Pairs(Ragged.of(left), Ragged.of(right), np.array(labels, np.float32))


def _pair(row: Any, sides: tuple[Side, Side], classes: int) -> tuple[Numbers, Numbers, float]:
    if not isinstance(row, dict):
        raise ValueError("it is no object with label, in0 and in1")
    one, other = (side.tokens(row.get(name), name) for side, name in zip(sides, SIDES, strict=True))
    label = row.get("label")
    if not isinstance(label, int | float) or not abs(label) <= FARTHEST:
        raise ValueError(f"label is {label!r:.100}, and must be a number of 32 bits")
    if classes and (label != int(label) or not 0 <= label < classes):
        raise ValueError(f"label is {label!r}, and with num_classes={classes} must be from 0 to {classes - 1}")
    return one, other, float(label)
