"""Latent Dirichlet Allocation (`lda`): the topics of a corpus, by the spectral method."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.hyperparameters import Interval
from clary.algorithms.kit.base import Columns, Model, RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.kit.ndarrays import read_arrays, write_arrays
from clary.algorithms.kit.parameters import POSITIVE, continuous, integer
from clary.algorithms.kit.soundness import require_sound

MODEL = "model_algo-1"
TEST = "test"


@dataclass(frozen=True, slots=True)
class Topics:
    alpha: NDArray[Any]
    """The Dirichlet prior of a document's mixture, `(topics,)`."""
    words: NDArray[Any]
    """The probability of each word in each topic, `(topics, words)`."""

    @property
    def feature_dim(self) -> int:
        return int(self.words.shape[1])

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        from clary.algorithms.lda.inference import mixtures

        return {"topic_mixture": mixtures(batch.features, self.alpha, self.words)}


class Lda(RowAlgorithm):
    """With the hyperparameters of docs.aws.amazon.com/sagemaker/latest/dg/lda_hyperparameters.html."""

    name = "lda"
    hyperparameters = (
        integer("feature_dim", POSITIVE, required=True),
        integer("num_topics", POSITIVE, required=True),
        integer("mini_batch_size", POSITIVE, required=True),
        continuous("alpha0", Interval(0, low_open=True), default=1.0),
        integer("max_restarts", POSITIVE, default=10),
        integer("max_iterations", POSITIVE, default=1000),
        continuous("tol", Interval(0, low_open=True), default=1e-8),
    )
    channels = (Takes("train", required=True), Takes(TEST))

    def train(self, job: Job) -> None:
        from clary.algorithms.lda.training import likelihood_of_test, train

        topics = train(job)
        if TEST in job.channels:
            job.final_score(TEST, "pwll", likelihood_of_test(job, topics), "score")
        arrays = [topics.alpha.astype(np.float32), topics.words.astype(np.float32)]
        require_sound({"alpha": topics.alpha, "words": topics.words})
        write_arrays(os.path.join(job.model_directory, MODEL), arrays)

    def load(self, directory: str) -> Model:
        alpha, words = read_arrays(os.path.join(directory, MODEL)).values()
        return Topics(alpha.astype(np.float64), words.astype(np.float64))


ALGORITHM = Lda()
