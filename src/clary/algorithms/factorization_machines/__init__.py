"""Factorization Machines (`factorization-machines`): classification and regression by pairs of features."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clary.algorithms.factorization_machines.hyperparameters import BINARY, HYPERPARAMETERS
from clary.algorithms.factorization_machines.machine import Machine
from clary.algorithms.kit.artifacts import load_network, save_network
from clary.algorithms.kit.base import Columns, Model, RowAlgorithm
from clary.algorithms.kit.batches import Batch
from clary.algorithms.kit.channels import RECORDIO, Takes
from clary.algorithms.kit.job import Job, no_data
from clary.algorithms.kit.scores import Binary, Regression, name_of_f, sigmoid

ARRAYS = {"bias": "arg:w0_weight", "linear": "arg:w1_weight", "factors": "arg:v"}
TEST = "test"
BETA = 1.0


@dataclass(frozen=True, slots=True)
class Predictor:
    machine: Machine
    kind: str

    @property
    def feature_dim(self) -> int:
        return self.machine.feature_dim

    def predict(self, batch: Batch, _options: Mapping[str, str]) -> Columns:
        scores = self.machine.scores(batch.features)
        if self.kind == BINARY:
            return {"score": sigmoid(scores), "predicted_label": (scores >= 0).astype(np.int64)}
        return {"score": scores}


class FactorizationMachines(RowAlgorithm):
    name = "factorization-machines"
    hyperparameters = HYPERPARAMETERS
    channels = (Takes("train", (RECORDIO,), required=True), Takes(TEST, (RECORDIO,)))

    def train(self, job: Job) -> None:
        from clary.algorithms.factorization_machines.training import train

        machine = train(job)
        if TEST in job.channels:
            _tell(job, machine)
        if job.team.leads:
            arrays = {name: getattr(machine, part) for part, name in ARRAYS.items()}
            save_network(job.model_directory, arrays, {"predictor_type": job.parameters["predictor_type"]})

    def load(self, directory: str) -> Model:
        arrays, facts = load_network(directory)
        machine = Machine(**{part: arrays[name] for part, name in ARRAYS.items()})
        return Predictor(machine, facts["predictor_type"])


def _tell(job: Job, machine: Machine) -> None:
    """Say how good the machine is, over the test rows of all instances."""
    from clary.algorithms.factorization_machines.training import cross_entropy, labelled

    binary = job.parameters["predictor_type"] == BINARY
    judged, sums = Binary(0.0, BETA) if binary else Regression(), np.zeros(2)
    for batch in labelled(job, TEST):
        assert batch.labels is not None
        scores = machine.scores(batch.features)
        judged.add(scores, batch.labels)
        sums += (float(cross_entropy(scores, batch.labels).sum(dtype=np.float64)), len(batch))
    judged.together(job.team)
    [(loss, rows)] = job.team.sum(sums)
    if not rows:
        raise no_data(TEST)
    told = judged.told()
    if binary:
        f = name_of_f("binary", BETA)
        job.final_score(TEST, "binary_classification_accuracy", told["binary_classification_accuracy"], "score")
        job.final_score(TEST, "binary_classification_cross_entropy", float(loss / rows))
        job.final_score(TEST, f, told[f], "score")
    else:
        job.final_score(TEST, "rmse", told["mse"] ** 0.5)


ALGORITHM = FactorizationMachines()
