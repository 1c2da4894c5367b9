"""A job of Factorization Machines: Adam on mini-batches, each part of the model with a rate and a decay of its own.

Several instances learn each from its own rows and meet after every epoch, where the model becomes the mean of theirs.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.factorization_machines.hyperparameters import BINARY
from clary.algorithms.factorization_machines.machine import Machine
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.descent import EPS, Adam
from clary.algorithms.kit.job import TRAIN, Job
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.scores import sigmoid

Array = NDArray[np.float32]

PARTS = ("bias", "linear", "factors")


def train(job: Job) -> Machine:
    machine = Machine.begin(job.parameters["feature_dim"], job.parameters)
    directions = {name: Adam(tiny=job.parameters["eps"] or EPS) for name in PARTS}
    for epoch in job.epochs():
        losses, count = np.zeros(1), np.zeros(1)
        for batch in labelled(job, TRAIN):
            assert batch.labels is not None
            scores = machine.scores(batch.features)
            loss, by_score = _loss(job, scores, batch.labels)
            losses += loss.sum()
            count += len(batch)
            slopes = machine.slopes(batch.features, by_score / np.float32(len(batch)))
            for name, slope in zip(PARTS, slopes, strict=True):
                _move(job.parameters, name, getattr(machine, name), slope, directions[name])
        _meet(job, machine, losses, count, epoch)
    return machine


def labelled(job: Job, channel: str) -> Iterator[Batch]:
    """The channel's rows, with labels that the predictor takes."""
    classes = Classes(BINARY, 2) if job.parameters["predictor_type"] == BINARY else None
    return job.batches(channel, labelled=True, classes=classes)


def cross_entropy(scores: Array, labels: Array) -> Array:
    """Of each row."""
    loss: Array = np.logaddexp(0, scores) - labels * scores
    return loss


def _loss(job: Job, scores: Array, labels: Array) -> tuple[Array, Array]:
    """Of each row, and its slope by the score."""
    if job.parameters["predictor_type"] == BINARY:
        return cross_entropy(scores, labels), sigmoid(scores) - labels
    error = scores - labels
    return error * error, 2 * error


def _move(parameters: dict[str, Any], name: str, part: Array, slope: Array, direction: Adam) -> None:
    if parameters["rescale_grad"] is not None:
        slope = slope * np.float32(parameters["rescale_grad"])
    slope = slope + np.float32(parameters[f"{name}_wd"]) * part
    if parameters["clip_gradient"] is not None:
        slope = np.clip(slope, -parameters["clip_gradient"], parameters["clip_gradient"])
    part -= np.float32(parameters[f"{name}_lr"]) * direction.of(slope.astype(np.float32))


def _meet(job: Job, machine: Machine, losses: NDArray[np.float64], count: NDArray[np.float64], epoch: int) -> None:
    own = float(count[0])
    *parts, losses, count = job.team.sum(*(getattr(machine, name) * own for name in PARTS), losses, count)
    if job.team.size > 1:
        for name, part in zip(PARTS, parts, strict=True):
            getattr(machine, name)[:] = part / count
    mean = float(losses[0] / count[0])
    if job.parameters["predictor_type"] == BINARY:
        job.score(TRAIN, "binary_classification_cross_entropy", mean, epoch=epoch)
    else:
        job.score(TRAIN, "rmse", mean**0.5, epoch=epoch)
