"""Sequence-to-Sequence: sentences into sentences, by a network that attends to what it translates."""

from typing import TYPE_CHECKING

from clary.algorithms.kit.base import Algorithm
from clary.algorithms.kit.channels import RECORDIO, Takes
from clary.algorithms.kit.job import Job
from clary.algorithms.seq2seq.hyperparameters import HYPERPARAMETERS

if TYPE_CHECKING:
    from clary.toolkits.models import Service


class Seq2Seq(Algorithm):
    name = "seq2seq"
    hyperparameters = HYPERPARAMETERS
    channels = (
        Takes("train", (RECORDIO,), required=True, modes=("File", "FastFile")),
        Takes("validation", (RECORDIO,), required=True, modes=("File", "FastFile")),
        Takes("vocab", ("application/json", RECORDIO), required=True, modes=("File", "FastFile")),
    )

    def train(self, job: Job) -> None:
        from clary.algorithms.seq2seq.sentences import prepare

        corpus = prepare(job)
        from clary.algorithms.seq2seq.training import train  # With torch, which takes seconds.

        train(job, corpus)

    def service(self) -> "Service":
        from clary.algorithms.seq2seq.serving import SequenceService

        return SequenceService()


ALGORITHM = Seq2Seq()
