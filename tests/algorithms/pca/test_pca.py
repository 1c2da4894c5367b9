"""PCA through the SDK's own class and in each mode; its components beside scikit-learn's."""

from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.kit.channels import RECORDIO
from clary.algorithms.kit.ndarrays import read_arrays
from clary.toolkits.recordio_writing import write_records
from tests.algorithms.walk import reference, walk
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import RESOURCES, Container

HOSTS = ["127.89.4.1", "127.89.4.2"]
REFERENCE = """
import json, sys, numpy
from sklearn.decomposition import PCA
fitted = PCA(4).fit(numpy.load(sys.argv[1]).astype(float))
print(json.dumps([fitted.components_.tolist(), fitted.singular_values_.tolist(), fitted.mean_.tolist()]))
"""


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Four directions that stand out, far from zero."""
    random = np.random.default_rng(2)
    strong = random.normal(size=(900, 4)) * [9, 6, 4, 3]
    return (strong @ random.normal(size=(4, 30)) + random.normal(size=(900, 30)) + 500).astype(np.float32)


@pytest.fixture(scope="module")
def expected(rows: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[np.ndarray, ...]:
    """scikit-learn's components (rows, the largest first), their singular values, and the mean."""
    path = tmp_path_factory.mktemp("pca") / "rows.npy"
    np.save(path, rows)
    components, values, mean = map(np.array, reference("pca:1", REFERENCE, path))
    return components, values, mean


def angle(vectors: np.ndarray, components: np.ndarray) -> float:
    """The largest between the spaces of columns and of rows, in degrees."""
    columns = np.linalg.qr(vectors.astype(np.float64))[0]
    cosines = np.linalg.svd(components @ columns, compute_uv=False)
    return float(np.degrees(np.arccos(np.clip(cosines.min(), -1, 1))))


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_projects(
    platform: Platform, tmp_path: Path, rows: np.ndarray, expected: tuple[np.ndarray, ...]
) -> None:
    np.save(tmp_path / "rows.npy", rows)
    found = walk(platform, "pca", tmp_path / "rows.npy")
    components, _, mean = expected
    projected = (rows - mean) @ components[::-1].T
    assert np.allclose(np.abs(found["projection"]), np.abs(projected), atol=0.02)
    first = found["projection"][0]
    assert found["json"]["projections"][0] == {"projection": pytest.approx(first, rel=1e-4)}
    assert found["jsonlines"] == found["json"]["projections"]
    assert [float(value) for value in found["csv"][0]] == pytest.approx(first, rel=1e-4)


@pytest.mark.parametrize(
    ("mode", "instances", "degrees"), [("regular", 2, 0.01), ("randomized", 1, 1), ("randomized", 2, 1)]
)
def test_every_mode_finds_the_same_space(
    tmp_path: Path, rows: np.ndarray, expected: tuple[np.ndarray, ...], mode: str, instances: int, degrees: float
) -> None:
    containers = []
    for host in range(instances):
        container = Container(tmp_path / str(host) / "ml", python_of("pca:1"))
        if instances > 1:
            container.configure("resourceconfig", {**RESOURCES, "current_host": HOSTS[host], "hosts": HOSTS})
        parameters = {"feature_dim": "30", "num_components": "4", "mini_batch_size": "100", "algorithm_mode": mode}
        container.configure("hyperparameters", parameters)
        container.configure("inputdataconfig", {"train": {"ContentType": RECORDIO}})
        (container.root / "input/data/train").mkdir()
        (container.root / "input/data/train/a").write_bytes(write_records({"values": rows[host::instances]}, {}))
        containers.append(container)
    running = [container.start("clary.algorithms", "pca", "train") for container in containers]
    printed = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * instances, printed
    model = read_arrays(str(containers[0].root / "model/model_algo-1"))
    components, values, mean = expected
    assert angle(model["v"], components) < degrees
    assert np.allclose(model["mean"], mean[None], rtol=1e-5)
    assert np.allclose(model["s"], values[::-1], rtol=0.05 if mode == "randomized" else 1e-4)
