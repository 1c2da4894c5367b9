"""k-means as a process on a real `/opt/ml`: on several hosts, from a pipe, stopped, and misled."""

import contextlib
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.kit.channels import RECORDIO
from clary.algorithms.kit.ndarrays import read_arrays, write_arrays
from clary.toolkits.recordio_writing import write_records
from tests.environments import python_of
from tests.toolkits.container import RESOURCES, Container

TRAIN = ("clary.algorithms", "kmeans", "train")
HOSTS = ["127.89.3.1", "127.89.3.2"]
"""Addresses of the loopback serve as names that resolve."""


def make(root: Path, *, mode: str = "File", content_type: str = RECORDIO, **parameters: str) -> Container:
    container = Container(root / "ml", python_of("kmeans:1"))
    container.configure("hyperparameters", {"k": "4", "feature_dim": "3", **parameters})
    channel = {"TrainingInputMode": mode, "ContentType": content_type, "S3DistributionType": "ShardedByS3Key"}
    container.configure("inputdataconfig", {"train": channel})
    (container.root / "input/data/train").mkdir()
    return container


def centers_of(container: Container) -> np.ndarray:
    [centers] = read_arrays(str(container.root / "model/model_algo-1")).values()
    return centers[np.lexsort(centers.T)]


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    random = np.random.default_rng(5)
    return np.concatenate([random.normal(10 * place, 1, (300, 3)) for place in range(4)]).astype(np.float32)


def test_two_hosts_find_the_centers_that_one_finds(tmp_path: Path, rows: np.ndarray) -> None:
    alone = make(tmp_path / "alone")
    (alone.root / "input/data/train/rows").write_bytes(write_records({"values": rows}, {}))
    status, output = alone.run(*TRAIN)
    assert status == 0, output
    containers = []
    for host, share in zip(HOSTS, (rows[::2], rows[1::2]), strict=True):
        container = make(tmp_path / host)
        container.configure("resourceconfig", {**RESOURCES, "current_host": host, "hosts": HOSTS})
        (container.root / "input/data/train/rows").write_bytes(write_records({"values": share}, {}))
        containers.append(container)
    running = [container.start(*TRAIN) for container in containers]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], printed
    assert np.allclose(centers_of(containers[0]), centers_of(alone), atol=1e-3)
    assert "train msd <loss>=" in printed[0]
    assert "quality_metric" not in printed[1]
    assert not (containers[1].root / "model/model_algo-1").exists()


def test_it_saves_what_it_has_learned_when_it_is_told_to_stop(tmp_path: Path, rows: np.ndarray) -> None:
    container = make(tmp_path, mode="Pipe")
    pipe = container.root / "input/data/train_0"
    os.mkfifo(pipe)
    process = container.start(*TRAIN)
    block = write_records({"values": np.tile(rows, (20, 1))}, {})
    with open(pipe, "wb", buffering=0) as stream, contextlib.suppress(BrokenPipeError):
        stream.write(block)
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            stream.write(block)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert centers_of(container).shape == (4, 3)


@pytest.mark.parametrize(
    ("parameters", "data", "reason"),
    [
        ({"k": "0"}, b"", "'0' is not valid for the 'k'"),
        ({"K": "3"}, b"", "Additional hyperparameters are not allowed ('K' was unexpected)"),
        ({}, b"", "Unable to read data channel 'train': there is no data in it."),
        ({"content_type": "text/csv;label_size=0"}, b"1,2,3\n1,2,x\n", "rows: line 2 has 'x', which is no number"),
        ({"content_type": "text/csv;label_size=0"}, b"1,2,3\n4,5,6\n", "k is 4, and there are only 2 rows"),
        ({"content_type": "text/libsvm"}, b"1 1:1", "No iterator has been registered for ContentType"),
    ],
)
def test_mistakes_are_the_users_to_mend(tmp_path: Path, parameters: dict[str, str], data: bytes, reason: str) -> None:
    container = make(tmp_path, **parameters)
    (container.root / "input/data/train/rows").write_bytes(data)
    status, _ = container.run(*TRAIN)
    assert status == 2
    assert container.failure
    assert container.failure.startswith("ClientError: ")
    assert reason in container.failure


def test_requests_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    container = make(tmp_path)
    write_arrays(str(container.root / "model/model_algo-1"), {"centroids": np.eye(3, dtype=np.float32)})
    with container.serve("clary.algorithms", "kmeans", "serve") as server:
        assert server.invoke("1,0,0")[::2] == (
            200,
            b'{"predictions": [{"closest_cluster": 0.0, "distance_to_cluster": 0.0}]}',
        )
        status, _, reason = server.invoke("1,0")
        assert (status, reason) == (
            400,
            b"Unable to evaluate payload provided: its rows have 2 features, and the model's have 3.",
        )
        assert server.invoke("1,x,0")[0] == 400
        assert server.invoke("1,nan,0")[0] == 400
        assert server.invoke("{", "application/json")[0] == 400
        assert server.invoke("")[0] == 400
        assert server.invoke("1 0 0", "text/libsvm")[0] == 415
        assert server.invoke("1,0,0", accept="image/png")[0] == 406
