"""A job of Linear Learner.

first rows ─▶ scalers ─▶ Population learns, epoch by epoch ─▶ judged on validation ─▶ early stop
                                            └─▶ the model that does best, its threshold ─▶ Linear, for rows as they come

Several instances learn each from its own rows and meet after every epoch, where each model becomes the mean of what
the instances have (weighted by their rows).
"""

import json
import logging
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import UserError
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.job import TRAIN, Job, no_data
from clary.algorithms.kit.labels import Classes
from clary.algorithms.kit.parameters import AUTO
from clary.algorithms.linear_learner.descent import common
from clary.algorithms.linear_learner.hyperparameters import BALANCED, BINARY, LOSSES, MULTICLASS, REGRESSOR
from clary.algorithms.linear_learner.losses import loss_of
from clary.algorithms.linear_learner.model import Linear, objective
from clary.algorithms.linear_learner.population import Plan, Population
from clary.algorithms.linear_learner.progress import Progress
from clary.algorithms.linear_learner.scaling import scalers
from clary.algorithms.linear_learner.selection import BY_LOSS, MIDDLE, Sample

Array = NDArray[np.float32]

VALIDATION = "validation"
STEPS = 30
"""The least of one epoch: where there are few mini-batches, a step takes a part of one. A job of a thousand rows would
otherwise have taken fifteen steps when it ends."""
SMALLEST = 32
"""Rows of a step."""
STOPPING = "#early_stopping_criteria_metric: host=%s, epoch=%d, criteria=%s, value=%s"


class Training:
    def __init__(self, job: Job) -> None:
        self._job = job
        self._parameters: Mapping[str, Any] = job.parameters
        self._kind: str = job.parameters["predictor_type"]
        self._classes: int = job.parameters["num_classes"] if self._kind == MULTICLASS else 1
        self._loss = LOSSES[self._kind][0] if (given := job.parameters["loss"]) == AUTO else given
        self._allowed = classes_of(job.parameters)
        self._judged = VALIDATION if VALIDATION in job.channels else TRAIN
        criterion = job.parameters["binary_classifier_model_selection_criteria"]
        self._by_criterion = self._kind == BINARY and criterion not in BY_LOSS
        self._stops_by_criterion = self._by_criterion and self._judged == VALIDATION
        self._watched = f"sampled_{criterion}" if self._stops_by_criterion else objective(self._loss)
        """What early stopping looks at, by the name of AWS's log."""

    def run(self) -> Linear:
        rows = self._labelled(TRAIN)
        first = self._take_first(rows)
        width = self._width(first)
        self._step = max(SMALLEST, sum(map(len, first)) // STEPS)
        self._features, self._labels = scalers(
            first, width, self._job.parameters, self._job.team, regression=self._kind == REGRESSOR
        )
        self._importance = self._class_weights(first)
        self._plan = plan = Plan.of(self._parameters)
        loss = loss_of(self._loss, self._parameters)
        self._population = Population(width, self._classes, plan, loss, self._parameters)
        self._models = plan.models
        logging.info("%d models are trained side by side for the %s.", self._models, self._loss)
        losses = self._learn(first, rows)
        self._population.take_best()
        return self._choose(losses)

    def _labelled(self, channel: str) -> Iterator[Batch]:
        return self._job.batches(channel, labelled=True, classes=self._allowed)

    def _take_first(self, rows: Iterator[Batch]) -> list[Batch]:
        held: list[Batch] = []
        while sum(map(len, held)) < self._parameters["num_point_for_scaler"] and (batch := next(rows, None)):
            held.append(batch)
        return held

    def _width(self, first: list[Batch]) -> int:
        """Features of the rows, also on an instance that has none of them."""
        given = self._job.team.gather({"width": np.array(first[0].width)} if first else {})
        widths = {int(each["width"]) for each in given if each}
        if not widths:
            raise no_data(TRAIN)
        if len(widths) > 1:
            raise UserError(f"The rows of the instances have {', '.join(map(str, sorted(widths)))} features.")
        return widths.pop()

    def _class_weights(self, first: list[Batch]) -> Array:
        """The weight of a row by its class, after what the first rows are like; of a number always 1."""
        if self._kind == REGRESSOR:
            return np.ones(1, np.float32)
        classes = max(self._classes, 2)
        counts = np.zeros(classes)
        for batch in first:
            assert batch.labels is not None
            counts += np.bincount(batch.labels.astype(np.int64), minlength=classes)
        [counts] = self._job.team.sum(counts)
        even = (counts.sum() / classes / np.maximum(counts, 1)).astype(np.float32)
        if self._kind == MULTICLASS:
            return even if self._parameters["balance_multiclass_weights"] else np.ones(classes, np.float32)
        given = self._parameters["positive_example_weight_mult"]
        return even if given in (AUTO, BALANCED) else np.array([1, given], np.float32)

    def _learn(self, first: list[Batch], rows: Iterator[Batch]) -> Array:
        """The loss of each model in its best state, on the data by which models are judged."""
        progress = Progress(self._models, self._parameters)
        for epoch in self._job.epochs():
            trained, count = np.zeros(self._models), 0
            for batch in _chained(first, rows) if epoch == 0 else self._labelled(TRAIN):
                for part in self._steps(batch):
                    features, labels = self._scaled(part)
                    trained += len(part) * self._population.learn(features, labels, self._weights(part))
                count += len(batch)
            first = []
            self._step = max(self._step, count // STEPS)
            losses = shortfalls = self._meet(trained, count)
            self._job.score(TRAIN, objective(self._loss), _least(losses), epoch=epoch)
            if self._judged == VALIDATION:
                losses, shortfalls = self._validate()
                self._job.score(VALIDATION, objective(self._loss), _least(losses), epoch=epoch)
            self._population.remember(progress.see(shortfalls, losses))
            value = 1 - progress.least if self._stops_by_criterion else progress.least
            logging.info(STOPPING, self._job.team.host, epoch, self._watched, value)
            if progress.is_over:
                self._job.end_early(f"No model has become better for {progress.stalled} epochs")
                break
        return progress.losses

    def _steps(self, batch: Batch) -> Iterator[Batch]:
        """The batch in even parts: one of a few rows would move the models as far as the others do."""
        parts = -(-len(batch) // self._step)
        ends = [len(batch) * number // parts for number in range(parts + 1)]
        return (batch.part(start, stop) for start, stop in pairwise(ends))

    def _meet(self, trained: NDArray[np.float64], count: int) -> Array:
        """The models become the mean of all instances'; the mean loss of each over all rows."""
        population, share = self._population, float(count)
        weights, bias, trained, total = self._job.team.sum(
            population.weights * share, population.bias * share, trained, np.array([share])
        )
        if self._job.team.size > 1:
            population.weights[:], population.bias[:] = weights / total, bias / total
        mean: Array = (trained / total).astype(np.float32)
        return mean

    def _validate(self) -> tuple[Array, Array]:
        """The loss of each model over the validation data, and how much it falls short by what stopping watches."""
        total, count = np.zeros(self._models), np.zeros(1)
        sample = Sample(self._models, self._parameters)
        for batch in self._labelled(VALIDATION):
            features, labels = self._scaled(batch)
            scores = self._population.scores(features)
            losses = self._population.loss(scores, labels)
            total += self._weights(batch) @ losses.reshape(len(batch), -1)
            count += len(batch)
            if self._stops_by_criterion:
                sample.add(scores, labels)
        total, count = self._job.team.sum(total, count)
        if not count:
            raise no_data(VALIDATION)
        losses = (total / count).astype(np.float32)
        if not self._stops_by_criterion:
            return losses, losses
        worths = np.array([choice.worth for choice in sample.choices(self._job.team)])
        return losses, np.where(np.isfinite(losses), 1 - worths, np.inf)

    def _scaled(self, batch: Batch) -> tuple[Any, Array]:
        assert batch.labels is not None
        return self._features.apply(batch.features), self._labels.apply(batch.labels[:, None])[:, 0]

    def _weights(self, batch: Batch) -> Array:
        if self._kind == REGRESSOR:
            return np.ones(len(batch), np.float32)
        assert batch.labels is not None
        weights: Array = self._importance[batch.labels.astype(np.int64)]
        return weights

    def _choose(self, losses: Array) -> Linear:
        number, threshold = int(losses.argmin()), MIDDLE
        if self._by_criterion:
            choices = self._sample().choices(self._job.team)
            # Of those that do equally well the one with the least loss.
            number = max(range(len(choices)), key=lambda each: (choices[each].worth, -losses[each]))
            threshold = choices[number].threshold
        if self._judged == TRAIN:
            self._job.final_score(TRAIN, objective(self._loss), float(losses[number]))
        told = {**common(self._parameters), **self._plan.told(number)}
        logging.info("Best model found for hyperparameters: %s", json.dumps(told))
        logging.info("Its threshold is %g.", threshold)
        return self._turned_back(number, threshold)

    def _sample(self) -> Sample:
        sample = Sample(self._models, self._parameters)
        for batch in self._labelled(self._judged):
            features, labels = self._scaled(batch)
            sample.add(self._population.scores(features), labels)
            if sample.full:
                break
        return sample

    def _turned_back(self, number: int, threshold: float) -> Linear:
        """The model of rows and labels as they come: w (x - mean) / deviation + bias is the scaled label."""
        weights, bias = self._population.model(number)
        stretched = weights / self._features.deviation[:, None]
        moved = bias - self._features.mean @ stretched
        spread, middle = self._labels.deviation[0], self._labels.mean[0]
        return Linear(stretched * spread, moved * spread + middle, self._kind, self._loss, threshold)


def _least(losses: Array) -> float:
    """But for those of models that have run away to no number."""
    return float(np.fmin.reduce(losses))


def classes_of(parameters: Mapping[str, Any]) -> Classes | None:
    """What labels may be."""
    kind = parameters["predictor_type"]
    if kind == REGRESSOR:
        return None
    return Classes(kind, parameters["num_classes"] if kind == MULTICLASS else 2)


def _chained(first: list[Batch], rows: Iterator[Batch]) -> Iterator[Batch]:
    yield from first
    yield from rows
