"""Random Cut Forest through the SDK's own class, on two instances; beside scikit-learn's IsolationForest."""

from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.randomcutforest.growing import NONE, grow
from tests.algorithms.walk import metrics_of, reference, walk
from tests.platform import Platform

REFERENCE = """
import sys, numpy
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
rows, labels = map(numpy.load, sys.argv[1:])
scores = -IsolationForest(n_estimators=60, max_samples=100, random_state=0).fit(rows).score_samples(rows)
print(roc_auc_score(labels, scores))
"""


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Two clusters, and rows between and around them that are anomalies."""
    random = np.random.default_rng(6)
    usual = np.concatenate([random.normal(5 * side, 1, (1000, 4)) for side in (-1, 1)])
    rows = np.concatenate([usual, random.uniform(-12, 12, (40, 4))]).astype(np.float32)
    labels = np.repeat([0, 1], [2000, 40]).astype(np.float32)
    order = random.permutation(len(rows))
    return rows[order], labels[order]


def area_under_curve(labels: np.ndarray, scores: np.ndarray) -> float:
    """The chance that an anomaly has a greater score than another row."""
    anomalies, others = scores[labels == 1], scores[labels == 0]
    return float((anomalies[:, None] > others[None, :]).mean())


@pytest.mark.slow
@pytest.mark.clients
def test_it_trains_deploys_and_scores(platform: Platform, tmp_path: Path, data: tuple[np.ndarray, np.ndarray]) -> None:
    labels = data[1]
    files = tmp_path / "rows.npy", tmp_path / "labels.npy"
    for file, array in zip(files, data, strict=True):
        np.save(file, array)
    found = walk(platform, "randomcutforest", *files)
    scores = np.array(found["score"])
    area = area_under_curve(labels, scores)
    assert area > 0.97
    assert area > reference("randomcutforest:1", REFERENCE, *files) - 0.005
    assert found["json"]["scores"] == [{"score": pytest.approx(score, rel=1e-4)} for score in scores[:2]]
    assert found["jsonlines"] == found["json"]["scores"]
    told = scores > scores.mean() + 3 * scores.std()
    metrics = metrics_of(platform, found["job"])
    assert metrics["test:accuracy"] == pytest.approx((told == labels).mean())
    assert metrics["test:recall"] == pytest.approx(told[labels == 1].mean())
    assert metrics["test:precision"] == pytest.approx(labels[told].mean())
    assert metrics["test:f1"] == pytest.approx(2 * told[labels == 1].sum() / (told.sum() + 40))


def test_every_cut_parts_the_points_of_its_box() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(size=(5, 60, 3)).astype(np.float32)
    samples[:, 50:] = samples[:, :1]  # Points that coincide stay together.
    forest = grow(samples, random)
    inner = np.flatnonzero(forest.dimension != NONE)
    left, right = forest.left[inner], forest.left[inner] + 1
    assert (forest.mass[:5] == 60).all()
    assert (forest.mass[inner] == forest.mass[left] + forest.mass[right]).all()
    dimension, cut = forest.dimension[inner], forest.cut[inner]
    assert (forest.high[left, dimension] <= cut).all()
    assert (forest.low[right, dimension] > cut).all()
    leaves = forest.dimension == NONE
    assert (forest.low[leaves] == forest.high[leaves]).all()
    assert sorted(forest.mass[leaves])[-5:] == [11] * 5
