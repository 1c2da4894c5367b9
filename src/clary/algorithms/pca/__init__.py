"""PCA (`pca`): principal components of rows that go by once."""

import os
from collections.abc import Mapping

import numpy as np

from clary.algorithms.kit.base import Columns, RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.ndarrays import read_arrays, write_arrays
from clary.algorithms.kit.soundness import require_sound
from clary.algorithms.kit.team import Arrays
from clary.algorithms.pca.hyperparameters import HYPERPARAMETERS

MODEL = "model_algo-1"


class Components:
    def __init__(self, arrays: Arrays) -> None:
        self._vectors = arrays["v"]
        self._mean = arrays["mean"].reshape(1, -1) if "mean" in arrays else np.zeros((1, 1), np.float32)
        self.feature_dim = int(self._vectors.shape[0])

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        return {"projection": (batch.dense() - self._mean) @ self._vectors}


class PCA(RowAlgorithm):
    name = "pca"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", required=True), Takes("test"))
    answers = "projections"

    def train(self, job: Job) -> None:
        from clary.algorithms.pca.training import train

        model = train(job)
        if job.team.leads:
            require_sound(model)
            write_arrays(os.path.join(job.model_directory, MODEL), model)

    def load(self, directory: str) -> Components:
        return Components(read_arrays(os.path.join(directory, MODEL)))


ALGORITHM = PCA()
