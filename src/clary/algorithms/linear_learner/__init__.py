"""Linear Learner (`linear-learner`): binary and multiclass classification and regression by linear models."""

import numpy as np

from clary.algorithms.kit.base import Model, RowAlgorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.scores import LOSSES
from clary.algorithms.linear_learner.hyperparameters import HYPERPARAMETERS
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

    scores, labels = [np.empty((0, len(model.bias)), np.float32)], [np.empty(0, np.float32)]
    for batch in job.batches(channel, labelled=True, classes=classes_of(job.parameters)):
        assert batch.labels is not None
        scores.append(model.raw_scores(batch))
        labels.append(batch.labels)
    parts = job.team.gather({"scores": np.concatenate(scores), "labels": np.concatenate(labels)})
    scores, labels = [part["scores"] for part in parts], [part["labels"] for part in parts]
    for name, value in model.judge(np.concatenate(scores), np.concatenate(labels), job.parameters):
        loss = name in LOSSES or name == objective(model.loss)
        job.final_score(channel, name, value, "loss" if loss else "score")


ALGORITHM = LinearLearner()
