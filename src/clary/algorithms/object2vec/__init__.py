"""Object2Vec: embeddings of objects, learned from how pairs of them are related."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.formats import JSONLINES
from clary.algorithms.kit.job import Job
from clary.algorithms.object2vec.hyperparameters import HYPERPARAMETERS

if TYPE_CHECKING:
    from clary.toolkits.models import Service

MODES = ("File", "FastFile")


class Object2Vec(Algorithm):
    name = "object2vec"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", (JSONLINES,), required=True, modes=MODES),
        Takes("validation", (JSONLINES,), modes=MODES),
        Takes("test", (JSONLINES,), modes=MODES),
        Takes("auxiliary", ("text/plain", "application/json"), modes=MODES),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.object2vec.pairs import prepare

        corpus = prepare(job)
        from clary.algorithms.object2vec.training import train  # With torch, which takes seconds.

        train(job, corpus)

    def service(self) -> "Service":
        from clary.algorithms.object2vec.serving import PairService

        return PairService()


ALGORITHM = Object2Vec()
