"""k-means through the SDK's own class, its quality beside scikit-learn's."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.clients.programs import await_deletion, client_program, run
from tests.environments import python_of
from tests.platform import Platform

PROGRAM = str(Path(__file__).parents[1] / "programs" / "kmeans.py")
REFERENCE = """
import sys, numpy
from sklearn.cluster import KMeans
print(KMeans(6, n_init=10, random_state=0).fit(numpy.load(sys.argv[1])).inertia_)
"""

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Clusters that overlap, far from zero."""
    random = np.random.default_rng(3)
    centers = random.normal(100, 4, (6, 8))
    return np.concatenate([random.normal(center, 1.5, (500, 8)) for center in centers]).astype(np.float32)[
        random.permutation(3000)
    ]


def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path, rows: np.ndarray) -> None:
    np.save(tmp_path / "rows.npy", rows)
    command = [client_program("v2", "python"), PROGRAM, str(tmp_path / "rows.npy"), "1"]
    found = json.loads(run(command, platform.program_environment(), tmp_path).splitlines()[-1])

    inertia = float((np.array(found["distance_to_cluster"], dtype=np.float64) ** 2).sum())
    best = float(subprocess.check_output([python_of("kmeans:1"), "-c", REFERENCE, str(tmp_path / "rows.npy")]))
    assert inertia <= 1.02 * best
    assert set(found["closest_cluster"]) == {0, 1, 2, 3, 4, 5}
    first = {name: found[name][0] for name in ("closest_cluster", "distance_to_cluster")}
    assert list(first) == list(found["json"]["predictions"][0])
    assert found["json"]["predictions"][0] == pytest.approx(first)
    assert found["jsonlines"] == found["json"]["predictions"]
    assert [float(value) for value in found["csv"][0]] == pytest.approx(list(first.values()))
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=found["job"])
    metrics = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    assert metrics["test:ssd"] == pytest.approx(inertia, rel=1e-3)
    assert metrics["test:msd"] == pytest.approx(inertia / len(rows), rel=1e-3)
    assert metrics["train:msd"] == pytest.approx(metrics["test:msd"], rel=0.1)
    assert metrics["train:progress"] == 100
    await_deletion(platform, "kmeans")
