"""k-means (`kmeans`): web-scale clustering in mini-batches, then Lloyd's algorithm on what they came to."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.kit.base import Columns, RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.ndarrays import read_arrays, write_arrays
from clary.algorithms.kit.soundness import require_sound
from clary.algorithms.kmeans.hyperparameters import HYPERPARAMETERS
from clary.algorithms.kmeans.lloyd import assign

MODEL = "model_algo-1"


class Clusters:
    def __init__(self, centers: NDArray[Any]) -> None:
        self._centers = centers.astype(np.float64)
        self.feature_dim = int(centers.shape[1])

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        nearest, squares = assign(batch.dense().astype(np.float64), self._centers)
        distances = np.sqrt(squares).astype(np.float32)
        return {"closest_cluster": nearest.astype(np.float32), "distance_to_cluster": distances}


class KMeans(RowAlgorithm):
    name = "kmeans"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", required=True),
        Takes("test"),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.kmeans.training import train

        centers = train(job)
        if job.team.leads:
            require_sound({"centers": centers})
            write_arrays(os.path.join(job.model_directory, MODEL), [centers])

    def load(self, directory: str) -> Clusters:
        [centers] = read_arrays(os.path.join(directory, MODEL)).values()
        return Clusters(centers)


ALGORITHM = KMeans()
