"""Linear Learner (`linear-learner`): binary and multiclass classification and regression by linear models."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from clary.algorithms.kit.base import Model, RowAlgorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.kit.scores import LOSSES, Binary, Judgement, Multiclass, Regression
from clary.algorithms.linear_learner.hyperparameters import BINARY, HYPERPARAMETERS, MULTICLASS
from clary.algorithms.linear_learner.model import Linear, objective


class LinearLearner(RowAlgorithm):
    name = "linear-learner"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", required=True), Takes("validation"), Takes("test"))

    def train(self, job: Job) -> None:
        from clary.algorithms.linear_learner.training import Training

        model = Training(job).run()
        for channel in ("validation", "test"):
            if channel in job.channels:
                _tell(job, channel, model)
        if job.team.leads:
            model.save(job.model_directory)

    def load(self, directory: str) -> Model:
        return Linear.load(directory)


def _tell(job: Job, channel: str, model: Linear) -> None:
    """Say how good the model is, over the rows of all instances."""
    from clary.algorithms.linear_learner.training import classes_of

    judged, sums = _judgement(model, job.parameters), np.zeros(2)
    for batch in job.batches(channel, labelled=True, classes=classes_of(job.parameters)):
        assert batch.labels is not None
        scores = model.raw_scores(batch)
        judged.add(scores if model.kind == MULTICLASS else scores[:, 0], batch.labels)
        sums += (float(model.losses(scores, batch.labels, job.parameters).sum(dtype=np.float64)), len(batch))
    judged.together(job.team)
    [(loss, rows)] = job.team.sum(sums)
    if not rows:
        raise no_data(channel)
    job.final_score(channel, objective(model.loss), float(loss / rows))
    for name, value in judged.told().items():
        job.final_score(channel, name, value, "loss" if name in LOSSES else "score")


def _judgement(model: Linear, parameters: Mapping[str, Any]) -> Judgement:
    if model.kind == MULTICLASS:
        return Multiclass(len(model.bias), parameters)
    return Binary(model.threshold, parameters["f_beta"]) if model.kind == BINARY else Regression()


ALGORITHM = LinearLearner()
