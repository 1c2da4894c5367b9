"""Training jobs of two instances, each with rows of its own, of which neither half alone would give the model."""

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from clary.algorithms.kit.channels import RECORDIO
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.container import sparse_records
from tests.algorithms.processes import program_of
from tests.environments import clary_alone, python_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, log_lines, put, unique, wait_until
from tests.services.sagemaker.training.test_clusters import TWO
from tests.services.sagemaker.training.test_retries import agents
from tests.services.sagemaker.training.test_training_jobs import unpack

PREDICT = """
import sys, numpy
from clary.algorithms.__main__ import find
from clary.algorithms.kit.batches import Batch
_, name, directory, rows, found = sys.argv
numpy.savez(found, **find(name).load(directory).predict(Batch(numpy.load(rows)), {"verbose": "true"}))
"""
Array = np.ndarray[Any, Any]


class Model(NamedTuple):
    """What a job has left."""

    name: str
    directory: Path

    def predict(self, rows: Array) -> dict[str, Array]:
        """In the environment of its image."""
        given, found = self.directory / "asked.npy", self.directory / "found.npz"
        np.save(given, rows.astype(np.float32))
        command = [python_of(f"{self.name}:1"), "-c", PREDICT, self.name, str(self.directory), str(given), str(found)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": clary_alone()})
        with np.load(found) as arrays:
            return dict(arrays)


class Case(NamedTuple):
    name: str
    parameters: dict[str, str]
    rows: Array
    """The first half of them is the first instance's."""
    check: Callable[[Model], None]
    """Of a model of all rows."""
    labels: Array | None = None
    sparse: bool = False

    def halves(self) -> tuple[bytes, bytes]:
        numbers = np.arange(len(self.rows))
        return self._records(numbers[: len(numbers) // 2]), self._records(numbers[len(numbers) // 2 :])

    def whole(self) -> bytes:
        """Without an order."""
        return self._records(np.random.default_rng(0).permutation(len(self.rows)))

    def _records(self, chosen: Array) -> bytes:
        if self.sparse:
            assert self.labels is not None
            return sparse_records(self.rows[chosen], self.labels[chosen])
        labels = {} if self.labels is None else {"values": self.labels[chosen]}
        return write_records({"values": self.rows[chosen]}, labels)


def clusters() -> Case:
    """Two clusters for each instance."""
    random = np.random.default_rng(1)
    centers = random.normal(0, 10, (4, 5))
    pairs = [
        random.permutation(np.concatenate([center + random.normal(0, 1, (300, 5)) for center in pair]))
        for pair in np.split(centers, 2)
    ]
    rows = np.concatenate(pairs)

    def check(model: Model) -> None:
        found = model.predict(centers)
        assert sorted(found["closest_cluster"]) == [0, 1, 2, 3]
        assert found["distance_to_cluster"].max() < 0.3

    return Case("kmeans", {"k": "4", "mini_batch_size": "100"}, rows, check)


def components(mode: str) -> Case:
    """Rows of each instance vary along other axes, and about another mean."""
    random = np.random.default_rng(2)
    axes = np.linalg.qr(random.normal(size=(12, 12)))[0]
    halves = [
        random.normal(0, spread, (400, 12)) @ axes + middle
        for spread, middle in (([5, 3] + [0.1] * 10, 0), ([0.1] * 10 + [4, 2], 2 * axes[0]))
    ]
    rows = np.concatenate(halves)
    vectors = np.linalg.eigh(np.cov(rows.T))[1]

    def check(model: Model) -> None:
        found = model.predict(np.eye(12) + rows.mean(axis=0))["projection"]
        # The cosines of the angles between both spaces.
        assert np.linalg.svd(found.T @ vectors[:, -4:])[1].min() > 0.9999

    parameters = {"num_components": "4", "mini_batch_size": "100", "algorithm_mode": mode}
    return Case("pca", parameters, rows, check)


def line() -> Case:
    """A number that depends on six features, of which each instance sees three change."""
    random = np.random.default_rng(3)
    rows = random.normal(2, 1, (2000, 6))
    rows[:1000, :3], rows[1000:, 3:] = 2, 2
    labels = rows @ np.array([3, -2, 1, 2, -3, 1]) + random.normal(0, 0.5, 2000)
    asked = random.normal(2, 1, (1000, 6))

    def check(model: Model) -> None:
        found = model.predict(asked)["score"]
        error = np.square(found - asked @ np.array([3, -2, 1, 2, -3, 1])).mean()
        assert error < 0.1, error

    parameters = {"predictor_type": "regressor", "mini_batch_size": "100"}
    return Case("linear-learner", parameters, rows, check, labels)


def classes() -> Case:
    """Three classes, of which the first instance has no row of the last, and the second almost none of the first."""
    random = np.random.default_rng(4)
    centers = np.array([[0, 0], [3, 0], [0, 3]])
    labels = np.concatenate([random.integers(0, 2, 1000), random.choice(3, 1000, p=[0.02, 0.38, 0.6])])
    rows = centers[labels] + random.normal(0, 1, (2000, 2))
    truth = np.repeat(np.arange(3), 500)
    asked = centers[truth] + random.normal(0, 1, (1500, 2))
    nearest = np.square(asked[:, None] - centers).sum(axis=2).argmin(axis=1)

    def check(model: Model) -> None:
        right = (model.predict(asked)["predicted_label"] == truth).mean()
        assert right > (nearest == truth).mean() - 0.03, right

    parameters = {"predictor_type": "multiclass_classifier", "num_classes": "3", "mini_batch_size": "100"}
    return Case("linear-learner", parameters, rows, check, labels)


def ratings() -> Case:
    """Ratings of rank 2: each instance has half of the users."""
    random = np.random.default_rng(5)
    users = np.concatenate([random.integers(0, 20, 2000), random.integers(20, 40, 2000)])
    items = random.integers(0, 30, 4000)
    rows = np.zeros((4000, 70))
    rows[np.arange(4000), users] = rows[np.arange(4000), 40 + items] = 1
    tastes, kinds = random.normal(0, 1, (40, 2)), random.normal(0, 1, (30, 2))
    truth = 3 + (tastes[users] * kinds[items]).sum(axis=1)

    def check(model: Model) -> None:
        error = np.sqrt(np.square(model.predict(rows)["score"] - truth).mean())
        # A linear model leaves 1.4.
        assert error < 0.4, error

    learning = {"num_factors": "4", "epochs": "10", "factors_lr": "0.03", "factors_init_sigma": "0.1"}
    parameters = {**learning, "linear_lr": "0.03", "mini_batch_size": "100", "predictor_type": "regressor"}
    return Case("factorization-machines", parameters, rows, check, truth + random.normal(0, 0.3, 4000), sparse=True)


def neighbours() -> Case:
    """Rows all over the place, whose labels are their numbers."""
    random = np.random.default_rng(6)
    rows, asked = random.normal(size=(1000, 8)), random.normal(size=(100, 8))
    order = np.square(asked[:, None] - rows).sum(axis=2).argsort(axis=1)[:, :5]

    def check(model: Model) -> None:
        assert (model.predict(asked)["labels"] == order).all()

    parameters = {"predictor_type": "regressor", "k": "5", "sample_size": "1000"}
    return Case("knn", parameters, rows, check, np.arange(1000))


def forest() -> Case:
    """A cluster for each instance, which the other would take for anomalies."""
    random = np.random.default_rng(7)
    centers = np.repeat([[0.0] * 4, [20.0] * 4], 3000, axis=0)
    rows = centers + random.normal(size=centers.shape)

    def check(model: Model) -> None:
        first, second, between = np.split(
            model.predict(np.repeat([[0] * 4, [20] * 4, [10] * 4], 1, axis=0))["score"], 3
        )
        assert abs(first - second) < 0.2 * first, (first, second)
        assert between > 2 * max(first, second)

    return Case("randomcutforest", {"num_trees": "50"}, rows, check)


CASES = {
    "kmeans": clusters(),
    "pca": components("regular"),
    "pca-randomized": components("randomized"),
    "linear-learner-regressor": line(),
    "linear-learner-classes": classes(),
    "factorization-machines": ratings(),
    "knn": neighbours(),
    "randomcutforest": forest(),
}
FILE, PIPE = "File", "Pipe"


IN_CI = [(name, (FILE, PIPE)[number % 2]) for number, name in enumerate(CASES)]
"""Of each one mode; the other takes long."""


def both_modes(*quick: tuple[str, str]) -> pytest.MarkDecorator:
    """All cases in both modes, those that are not quick in the long form of the tests."""
    every = [(name, mode) for name in CASES for mode in (FILE, PIPE)]
    return pytest.mark.parametrize(
        ("name", "mode"), [pytest.param(*each, marks=[] if each in quick else pytest.mark.slow) for each in every]
    )


@both_modes(*IN_CI)
def test_two_instances_make_the_model_of_all_rows(platform: Platform, tmp_path: Path, name: str, mode: str) -> None:
    case = CASES[name]
    job = train(platform, case, mode, *case.halves())
    case.check(left(platform, case, job, tmp_path))


@both_modes(("linear-learner-classes", FILE), ("pca", PIPE))
def test_an_instance_may_have_no_rows(platform: Platform, tmp_path: Path, name: str, mode: str) -> None:
    case = CASES[name]
    job = train(platform, case, mode, b"", case.whole())
    case.check(left(platform, case, job, tmp_path))


def test_rows_that_all_instances_have_are_sampled_once(platform: Platform, tmp_path: Path) -> None:
    case = CASES["knn"]
    job = train(platform, case, FILE, case.whole(), distribution="FullyReplicated")
    case.check(left(platform, case, job, tmp_path))


def test_the_death_of_one_instance_ends_the_job(own_platform: Platform) -> None:
    case = CASES["kmeans"]
    job = train(own_platform, case, FILE, *case.halves(), epochs="1000000")
    wait_until(lambda: sum("After pass" in line for line in told(own_platform, job)) > 1)
    [agent] = [pid for instance, pid in agents(own_platform).items() if instance.endswith("-2")]
    os.kill(program_of(agent), signal.SIGKILL)
    described = ended(own_platform, job)
    assert described["TrainingJobStatus"] == "Failed"
    assert "algo-2" in described["FailureReason"]


def told(platform: Platform, job: str) -> list[str]:
    started = platform.client("logs").describe_log_groups()["logGroups"]
    return log_lines(platform, job) if started else []


def train(
    platform: Platform,
    case: Case,
    mode: str,
    *objects: bytes,
    distribution: str = "ShardedByS3Key",
    **parameters: str,
) -> str:
    """The name of a job of two instances, each of which gets one of the objects."""
    name = unique(case.name)
    for number, content in enumerate(objects):
        put(platform, f"{name}/train/{number}", content)
    image = f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{case.name}:1"
    source = {
        "S3DataType": "S3Prefix",
        "S3Uri": f"s3://{BUCKET}/{name}/train/",
        "S3DataDistributionType": distribution,
    }
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": image, "TrainingInputMode": mode},
        RoleArn=ROLE,
        HyperParameters={"feature_dim": str(case.rows.shape[1]), **case.parameters, **parameters},
        InputDataConfig=[
            {"ChannelName": "train", "DataSource": {"S3DataSource": source}, "ContentType": RECORDIO},
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/{name}/output"},
        ResourceConfig=TWO,
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return name


def left(platform: Platform, case: Case, job: str, directory: Path) -> Model:
    described = ended(platform, job, 240)
    assert described["TrainingJobStatus"] == "Completed", described.get("FailureReason")
    for name, content in unpack(platform, described["ModelArtifacts"]["S3ModelArtifacts"]).items():
        (directory / name).write_bytes(content)
    return Model(case.name, directory)
