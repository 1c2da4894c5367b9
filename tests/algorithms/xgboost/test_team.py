"""The algorithm on two hosts at once, each a process with an `/opt/ml` of its own, joined by XGBoost's communicator."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.algorithms.xgboost.test_training import TRAIN, configure, give, model_of
from tests.environments import python_of
from tests.toolkits.container import RESOURCES, Container

HOSTS = ["127.89.0.1", "127.89.0.2"]
"""Addresses of the loopback serve as names that resolve."""
EXACT = {"tree_method": "hist", "subsample": "1", "gamma": "0", "num_round": "10", "eval_metric": "rmse"}
Make = Callable[[str], Container]


@pytest.fixture(params=["sagemaker-xgboost:1.7-1", "sagemaker-xgboost:latest"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    return lambda name: Container(tmp_path / name / "ml", python_of(request.param))


def rows(count: int = 400) -> list[str]:
    """CSV of few distinct values, so that every host sees all of them and cuts alike."""
    generator = np.random.default_rng(7)
    features = generator.integers(0, 8, (count, 4))
    labels = features @ np.array([1.0, -2.0, 0.5, 0.0]) + generator.normal(0, 0.1, count)
    return [",".join(map(str, [label, *values])) for label, values in zip(labels, features, strict=True)]


def pair(make: Make, *shares: list[str], **parameters: str) -> list[Container]:
    found = []
    for host, share in zip(HOSTS, shares, strict=True):
        container = make(host)
        container.configure("resourceconfig", {**RESOURCES, "current_host": host, "hosts": HOSTS})
        (container.root / "input/data/train").mkdir()
        if share:
            give(container, "train", "\n".join(share))
        configure(container, "text/csv", "train", **{**EXACT, **parameters})
        found.append(container)
    return found


def run(containers: list[Container]) -> list[tuple[int, str]]:
    """Exit status and output of each."""
    running = [container.start(*TRAIN) for container in containers]
    try:
        printed = [process.communicate(timeout=60)[0] for process in running]
    except subprocess.TimeoutExpired:
        for process in running:
            process.kill()
        raise
    return [(process.returncode, output) for process, output in zip(running, printed, strict=True)]


def scores(output: str) -> list[str]:
    return re.findall(r"^\[\d+\]#011.*$", output, re.MULTILINE)


def predictions(container: Container) -> np.ndarray:
    table = np.array([row.split(",") for row in rows()], dtype=float)
    return model_of(container).predict(xgboost.DMatrix(table[:, 1:]))


def test_two_hosts_train_the_model_of_all_rows(make: Make) -> None:
    every = rows()
    alone = make("alone")
    give(alone, "train", "\n".join(every))
    configure(alone, "text/csv", "train", **EXACT)
    status, expected = alone.run(*TRAIN)
    assert status == 0, expected

    first, second = pair(make, every[::2], every[1::2])
    results = run([first, second])
    assert [status for status, _ in results] == [0, 0], results
    np.testing.assert_allclose(predictions(first), predictions(alone), atol=1e-3)
    assert not list((second.root / "model").iterdir())
    # Scores are those of all rows, and told once.
    assert scores(results[0][1]) == scores(expected)
    assert scores(results[1][1]) == []


def test_a_metric_of_the_algorithms_own_is_of_all_rows(make: Make) -> None:
    every = rows()
    [(status, output), other] = run(pair(make, every[:300], every[300:], eval_metric="mse,rmse"))
    assert (status, other[0]) == (0, 0), output
    last = scores(output)[-1]
    found = {name: float(value) for name, value in re.findall(r"train-(\w+):([\d.]+)", last)}
    assert found["mse"] == pytest.approx(found["rmse"] ** 2, rel=1e-3)


def test_a_host_without_rows_takes_no_part(make: Make) -> None:
    first, second = pair(make, [], rows())
    results = run([first, second])
    assert [status for status, _ in results] == [0, 0], results
    assert "takes no part" in results[0][1]
    assert (second.root / "model/xgboost-model").exists()


def test_no_rows_anywhere_fail_on_every_host(make: Make) -> None:
    containers = pair(make, [], [])
    assert [status for status, _ in run(containers)] == [1, 1]
    assert all("No data in the training channel of any instance" in str(each.failure) for each in containers)


def test_validation_on_one_host_alone_is_refused(make: Make) -> None:
    every = rows()
    containers = pair(make, every[::2], every[1::2])
    give(containers[0], "validation", "\n".join(every))
    (containers[1].root / "input/data/validation").mkdir()
    for container in containers:
        configure(container, "text/csv", "train", "validation", **EXACT)
    assert [status for status, _ in run(containers)] == [1, 1]
    assert "127.89.0.2 got none of it" in str(containers[1].failure)


def test_a_stop_of_one_ends_all_after_the_same_round(make: Make) -> None:
    every = rows()
    containers = pair(make, every[::2], every[1::2], num_round="100000")
    running = [container.start(*TRAIN) for container in containers]
    assert running[0].stdout is not None
    while "[3]" not in running[0].stdout.readline():
        assert running[0].poll() is None
    running[1].terminate()
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert model_of(containers[0]).num_boosted_rounds() > 3


def test_a_release_without_a_communicator_says_so(tmp_path: Path) -> None:
    containers = pair(lambda name: Container(tmp_path / name / "ml", python_of("xgboost:0.90-2")), rows(), rows())
    assert [status for status, _ in run(containers)] == [1, 1]
    assert "needs XGBoost 1.7 or later, and this image has 0.90" in str(containers[0].failure)
