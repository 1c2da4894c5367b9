"""Factorization Machines through the SDK's own class, and what they find that a linear model cannot."""

from pathlib import Path

import numpy as np
import pytest

from tests.algorithms.container import write_rows
from tests.algorithms.walk import walk_rows
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "factorization-machines", "train")
LEARNING = {
    "num_factors": "4",
    "epochs": "30",
    "mini_batch_size": "100",
    "factors_lr": "0.01",
    "factors_init_sigma": "0.1",
    "linear_lr": "0.01",
}
USERS, ITEMS = 40, 30


def make_rows() -> tuple[np.ndarray, np.ndarray]:
    """A user and an item a row, each one of many columns; a rating that depends on both together, of rank 2."""
    random = np.random.default_rng(11)
    users, items = random.integers(0, USERS, 4000), random.integers(0, ITEMS, 4000)
    rows = np.zeros((4000, USERS + ITEMS), np.float32)
    rows[np.arange(4000), users] = 1
    rows[np.arange(4000), USERS + items] = 1
    tastes, kinds = random.normal(0, 1, (USERS, 2)), random.normal(0, 1, (ITEMS, 2))
    ratings = 3 + (tastes[users] * kinds[items]).sum(1) + random.normal(0, 0.3, 4000)
    return rows, ratings.astype(np.float32)


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    rows, ratings = make_rows()
    labels = (ratings > 3).astype(np.float32)
    parameters = {
        "num_factors": 4,
        "predictor_type": "binary_classifier",
        "epochs": 20,
        "factors_lr": 0.01,
        "factors_init_sigma": 0.1,
        "mini_batch_size": 100,
    }
    channels = {
        "train_rows": rows[:3000],
        "train_labels": labels[:3000],
        "test_rows": rows[3000:],
        "test_labels": labels[3000:],
    }
    found = walk_rows(
        platform, tmp_path, "factorization-machines", "FactorizationMachines", parameters, asked=rows[3000:], **channels
    )
    said, scores = found.records["predicted_label"][:, 0], found.records["score"][:, 0]
    assert (said == (scores >= 0.5)).all()
    assert (said == labels[3000:]).mean() > 0.85
    assert list(found.json[0]) == ["score", "predicted_label"]
    assert found.metrics["test:binary_classification_accuracy"] == pytest.approx((said == labels[3000:]).mean())
    assert found.metrics["test:binary_classification_cross_entropy"] < 0.5
    assert found.metrics["train:binary_classification_cross_entropy:epoch"] < 0.5
    assert found.metrics["train:binary_classification_accuracy:epoch"] > 0.7
    assert 0 < found.metrics["test:binary_f_beta"] <= 1


def test_sparse_rows_of_low_rank_are_found_again(tmp_path: Path) -> None:
    rows, ratings = make_rows()
    container = Container(tmp_path / "ml", python_of("factorization-machines:1"))
    write_rows(container, "train", rows[:3000], ratings[:3000], sparse=True)
    write_rows(container, "test", rows[3000:], ratings[3000:], sparse=True)
    parameters = {"feature_dim": str(rows.shape[1]), "predictor_type": "regressor", **LEARNING}
    container.configure("hyperparameters", parameters)
    status, output = container.run(*TRAIN)
    assert status == 0, output
    [line] = [line for line in output.splitlines() if "test rmse <loss>=" in line]
    # The noise is 0.3, and what no linear model can tell is 1.4.
    assert float(line.rpartition("=")[2]) < 0.5


def test_a_label_that_is_no_class_fails_the_job(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of("factorization-machines:1"))
    write_rows(container, "train", np.eye(3, dtype=np.float32), np.array([0, 1, 5], np.float32))
    parameters = {"feature_dim": "3", "predictor_type": "binary_classifier", **LEARNING}
    container.configure("hyperparameters", parameters)
    assert container.run(*TRAIN)[0] == 2
    assert container.failure is not None
    assert "data.pbr: record 3 has the label 5: a binary_classifier needs labels that are whole" in container.failure
