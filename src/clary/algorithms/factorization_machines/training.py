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
TOLD = 500
"""Of so many batches one is told of, and the first."""


def train(job: Job) -> Machine:
    machine = Machine.begin(job.parameters["feature_dim"], job.parameters)
    directions = {name: Adam(tiny=job.parameters["eps"] or EPS) for name in PARTS}
    for epoch in job.epochs():
        sums = np.zeros(3)
        for number, batch in enumerate(labelled(job, TRAIN)):
            assert batch.labels is not None
            scores = machine.scores(batch.features)
            loss, by_score = _loss(job, scores, batch.labels)
            seen = np.array([loss.sum(), ((scores >= 0) == (batch.labels == 1)).sum(), len(batch)])
            sums += seen
            if number % TOLD == 0:
                _tell(job, seen, epoch, number)
            slopes = machine.slopes(batch.features, by_score / np.float32(len(batch)))
            for name, slope in zip(PARTS, slopes, strict=True):
                _move(job.parameters, name, getattr(machine, name), slope, directions[name])
        _tell(job, _meet(job, machine, sums), epoch)
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


def _meet(job: Job, machine: Machine, sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The machine becomes the mean of all instances'; the sums over all."""
    own = float(sums[2])
    *parts, sums = job.team.sum(*(getattr(machine, name) * own for name in PARTS), sums)
    if job.team.size > 1:
        for name, part in zip(PARTS, parts, strict=True):
            getattr(machine, name)[:] = part / sums[2]
    return sums


def _tell(job: Job, sums: NDArray[np.float64], epoch: int, batch: int | None = None) -> None:
    """`sums` are the losses, the rows that are right, and all rows."""
    loss, right = float(sums[0] / sums[2]), float(sums[1] / sums[2])
    if job.parameters["predictor_type"] == BINARY:
        job.score(TRAIN, "binary_classification_accuracy", right, "score", epoch=epoch, batch=batch)
        job.score(TRAIN, "binary_classification_cross_entropy", loss, epoch=epoch, batch=batch)
    else:
        job.score(TRAIN, "rmse", loss**0.5, epoch=epoch, batch=batch)
