"""k-NN (`knn`): what the nearest of a sample of rows say, found by Faiss."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.base import RowAlgorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.knn.hyperparameters import HYPERPARAMETERS

if TYPE_CHECKING:
    from clary.algorithms.knn.model import Neighbours


class KNN(RowAlgorithm):
    name = "knn"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", required=True), Takes("test"))

    def train(self, job: Job) -> None:
        from clary.algorithms.knn.training import train

        train(job)

    def load(self, directory: str) -> "Neighbours":
        from clary.algorithms.knn.model import Neighbours

        return Neighbours.load(directory)


ALGORITHM = KNN()
