"""k-NN through the SDK's own class, and with every index, metric and reduction beside brute force."""

import json
from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.kit.channels import RECORDIO
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.walk import metrics_of, walk
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import RESOURCES, Container

TRAIN, SERVE = ("clary.algorithms", "knn", "train"), ("clary.algorithms", "knn", "serve")
HOSTS = ["127.89.5.1", "127.89.5.2"]


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Rows of three classes that overlap."""
    random = np.random.default_rng(4)
    labels = random.integers(0, 3, 1000)
    rows = random.normal(size=(3, 16))[labels] * 1.5 + random.normal(size=(1000, 16))
    return rows.astype(np.float32), labels.astype(np.float32)


def nearest(rows: np.ndarray, asked: np.ndarray, metric: str) -> np.ndarray:
    """The distances of each row that is asked for to all, by brute force."""
    rows, asked = rows.astype(np.float64), asked.astype(np.float64)
    if metric == "INNER_PRODUCT":
        return -asked @ rows.T
    if metric == "COSINE":
        return 1 - (asked / np.linalg.norm(asked, axis=1)[:, None]) @ (rows / np.linalg.norm(rows, axis=1)[:, None]).T
    return np.sqrt(((asked[:, None, :] - rows[None, :, :]) ** 2).sum(axis=2))


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_predicts(
    platform: Platform, tmp_path: Path, data: tuple[np.ndarray, np.ndarray]
) -> None:
    rows, labels = data
    np.save(tmp_path / "rows.npy", rows)
    np.save(tmp_path / "labels.npy", labels)
    found = walk(platform, "knn", tmp_path / "rows.npy", tmp_path / "labels.npy")
    distances = nearest(rows[:700], rows[700:], "L2")
    order = np.argsort(distances, axis=1)[:, :5]
    votes = np.stack([(labels[order] == label).sum(axis=1) for label in range(3)], axis=1)
    best = votes.max(axis=1)
    told = np.array(found["predicted_label"])
    assert (votes[np.arange(300), told.astype(int)] == best).all()
    assert metrics_of(platform, found["job"])["test:accuracy"] == pytest.approx((told == labels[700:]).mean())
    for row, answer in enumerate(found["verbose"]):
        assert list(answer) == ["predicted_label", "distances", "labels"]
        assert answer["predicted_label"] == told[row]
        assert answer["labels"] == labels[order[row]].tolist()
        assert answer["distances"] == pytest.approx(distances[row, order[row]].tolist(), rel=1e-3)
    assert found["json"]["predictions"] == [{"predicted_label": label} for label in told[:2]]
    assert found["jsonlines"] == found["json"]["predictions"]


@pytest.mark.parametrize(
    ("parameters", "instances", "recall"),
    [
        ({"index_metric": "COSINE"}, 1, 0.999),
        ({"index_metric": "INNER_PRODUCT"}, 1, 0.999),
        ({"index_type": "faiss.IVFFlat"}, 2, 0.7),
        ({"index_type": "faiss.IVFPQ", "faiss_index_pq_m": "8"}, 1, 0.5),
        ({"dimension_reduction_type": "sign", "dimension_reduction_target": "12"}, 1, 0.3),
        ({"dimension_reduction_type": "fjlt", "dimension_reduction_target": "12"}, 1, 0.3),
    ],
)
def test_it_finds_the_neighbours_that_brute_force_finds(
    tmp_path: Path, data: tuple[np.ndarray, np.ndarray], parameters: dict[str, str], instances: int, recall: float
) -> None:
    rows = data[0]
    numbers = np.arange(1000, dtype=np.float32)
    containers = []
    for host in range(instances):
        container = Container(tmp_path / str(host) / "ml", python_of("knn:1"))
        if instances > 1:
            container.configure("resourceconfig", {**RESOURCES, "current_host": HOSTS[host], "hosts": HOSTS})
        fixed = {"feature_dim": "16", "k": "10", "sample_size": "2000", "predictor_type": "regressor"}
        container.configure("hyperparameters", {**fixed, **parameters})
        channel = {"ContentType": RECORDIO, "S3DistributionType": "ShardedByS3Key"}
        container.configure("inputdataconfig", {"train": channel})
        (container.root / "input/data/train").mkdir()
        share = slice(host, None, instances)
        written = write_records({"values": rows[share]}, {"values": numbers[share]})
        (container.root / "input/data/train/rows").write_bytes(written)
        containers.append(container)
    running = [container.start(*TRAIN) for container in containers]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * instances, printed

    asked = rows[:50]
    order = np.argsort(nearest(rows, asked, parameters.get("index_metric", "L2")), axis=1)[:, :10]
    with containers[0].serve(*SERVE) as server:
        body = json.dumps({"instances": [{"features": row} for row in asked.tolist()]})
        status, _, answer = server.invoke(body, "application/json", "application/json; verbose=true")
    assert status == 200, answer
    predictions = json.loads(answer)["predictions"]
    found = [len(set(each["labels"]) & set(map(float, row))) for each, row in zip(predictions, order, strict=True)]
    assert sum(found) / 500 >= recall
    assert all(each["distances"] == sorted(each["distances"]) for each in predictions)
    assert predictions[0]["predicted_label"] == pytest.approx(np.mean(predictions[0]["labels"]), rel=1e-5)


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"index_type": "faiss.IVFPQ", "index_metric": "COSINE"}, "'COSINE' is not valid for the 'index_metric'"),
        ({"dimension_reduction_type": "sign"}, "No value(s) were specified for 'dimension_reduction_target'"),
        ({"faiss_index_pq_m": "5"}, "'5' is not valid for the 'faiss_index_pq_m'"),
        ({"k": "11"}, "k is 11, and there are only 10 rows in the sample"),
    ],
)
def test_mistakes_are_the_users_to_mend(tmp_path: Path, parameters: dict[str, str], reason: str) -> None:
    container = Container(tmp_path / "ml", python_of("knn:1"))
    fixed = {"feature_dim": "16", "k": "10", "sample_size": "10", "predictor_type": "classifier"}
    container.configure("hyperparameters", {**fixed, **parameters})
    container.configure("inputdataconfig", {"train": {"ContentType": RECORDIO}})
    (container.root / "input/data/train").mkdir()
    written = write_records({"values": np.ones((20, 16), np.float32)}, {"values": np.ones(20, np.float32)})
    (container.root / "input/data/train/rows").write_bytes(written)
    assert container.run(*TRAIN)[0] == 2
    assert reason in (container.failure or "")
