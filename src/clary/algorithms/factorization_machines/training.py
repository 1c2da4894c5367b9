"""A job of Factorization Machines: Adam on mini-batches, each part of the model with a rate and a decay of its own.

Several instances share each mini-batch and take the step that one would take on all of it. To learn apart and take the
mean of the models loses half of what is learned of a feature that the rows of one instance alone have.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.factorization_machines.hyperparameters import BINARY
from clary.algorithms.factorization_machines.machine import Machine
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.descent import EPS, Adam
from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.scores import sigmoid
from clary.algorithms.kit.team import Arrays, Team

Array = NDArray[np.float32]
Slopes = tuple[Array, Array, Array]
"""By the parts of a machine."""

PARTS = ("bias", "linear", "factors")
TOLD = 500
"""Of so many batches one is told of, and the first."""


def train(job: Job) -> Machine:
    machine = Machine.begin(job.parameters["feature_dim"], job.parameters)
    directions = {name: Adam(tiny=job.parameters["eps"] or EPS) for name in PARTS}
    for epoch in job.epochs():
        sums = np.zeros(3)
        for number, (batch, rows) in enumerate(_steps(job)):
            slopes = None
            if batch:
                seen, slopes = _slopes(job, machine, batch, rows)
                sums += seen
                if number % TOLD == 0:
                    _tell(job, seen, epoch, number)
            for name, slope in zip(PARTS, _together(job.team, machine, slopes, batch), strict=True):
                _move(job.parameters, name, getattr(machine, name), slope, directions[name])
        [sums] = job.team.sum(sums)
        if not sums[2]:
            raise no_data(TRAIN)
        _tell(job, sums, epoch)
    return machine


def _steps(job: Job) -> Iterator[tuple[Batch | None, float]]:
    """This instance's part of each mini-batch, None where it has no rows left; and how many rows all have in theirs."""
    batches = labelled(job, TRAIN, -(-job.parameters["mini_batch_size"] // job.team.size))
    while True:
        batch = next(batches, None)
        [rows] = job.team.sum(np.array(float(len(batch) if batch else 0)))
        if not rows:
            return
        yield batch, float(rows)


def _slopes(job: Job, machine: Machine, batch: Batch, rows: float) -> tuple[NDArray[np.float64], Slopes]:
    """What is told of a batch, and its part of the slopes of so many rows' mean."""
    assert batch.labels is not None
    seen = machine.forward(batch.features)
    loss, by_score = _loss(job, seen.scores, batch.labels)
    told = np.array([loss.sum(), ((seen.scores >= 0) == (batch.labels == 1)).sum(), len(batch)])
    return told, machine.slopes(batch.features, seen, by_score / np.float32(rows))


def _together(team: Team, machine: Machine, slopes: Slopes | None, batch: Batch | None) -> Slopes:
    """The sum of all instances' slopes. They tell each other those alone of features that their rows have."""
    if team.size == 1 and slopes:
        return slopes
    given: Arrays = {}
    if slopes and batch:
        features = batch.features
        columns = np.arange(batch.width) if isinstance(features, np.ndarray) else np.unique(features.indices)
        given = {"columns": columns, "bias": slopes[0], "linear": slopes[1][columns], "factors": slopes[2][columns]}
    bias, linear, factors = (np.zeros_like(getattr(machine, name)) for name in PARTS)
    for each in filter(None, team.gather(given)):
        bias += each["bias"]
        linear[each["columns"]] += each["linear"]
        factors[each["columns"]] += each["factors"]
    return bias, linear, factors


def labelled(job: Job, channel: str, size: int | None = None) -> Iterator[Batch]:
    """The channel's rows, with labels that the predictor takes."""
    classes = Classes(BINARY, 2) if job.parameters["predictor_type"] == BINARY else None
    return job.batches(channel, size, labelled=True, classes=classes)


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


def _tell(job: Job, sums: NDArray[np.float64], epoch: int, batch: int | None = None) -> None:
    """`sums` are the losses, the rows that are right, and all rows."""
    loss, right = float(sums[0] / sums[2]), float(sums[1] / sums[2])
    if job.parameters["predictor_type"] == BINARY:
        job.score(TRAIN, "binary_classification_accuracy", right, "score", epoch=epoch, batch=batch)
        job.score(TRAIN, "binary_classification_cross_entropy", loss, epoch=epoch, batch=batch)
    else:
        job.score(TRAIN, "rmse", loss**0.5, epoch=epoch, batch=batch)
