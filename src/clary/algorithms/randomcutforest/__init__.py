"""Random Cut Forest (`randomcutforest`): how anomalous a row is."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from clary.algorithms.kit.base import Columns, RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.randomcutforest.hyperparameters import HYPERPARAMETERS

if TYPE_CHECKING:
    from clary.algorithms.randomcutforest.growing import Forest

MODEL = "forest.npz"


class Scores:
    def __init__(self, forest: "Forest") -> None:
        from clary.algorithms.randomcutforest.scoring import Scorer

        self._score = Scorer(forest)
        self.feature_dim = int(forest.low.shape[1])

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        return {"score": self._score(batch.dense())}


class RandomCutForest(RowAlgorithm):
    name = "randomcutforest"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", required=True), Takes("test"))
    answers = "scores"

    def train(self, job: Job) -> None:
        from clary.algorithms.randomcutforest.training import train

        if forest := train(job):
            np.savez(os.path.join(job.model_directory, MODEL), **forest._asdict())

    def load(self, directory: str) -> Scores:
        from clary.algorithms.randomcutforest.growing import Forest

        with np.load(os.path.join(directory, MODEL)) as arrays:
            found = dict(arrays)
        return Scores(Forest(**{**found, "trees": int(found["trees"])}))


ALGORITHM = RandomCutForest()
