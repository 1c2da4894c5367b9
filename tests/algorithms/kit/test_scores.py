"""Judgements of rows that go by, on several instances, beside scikit-learn's of all of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clary.algorithms.kit.scores import Binary, Judgement, Multiclass, Regression
from tests.algorithms.walk import reference

REFERENCE = """
import json, sys, numpy
from sklearn import metrics
arrays, kind = numpy.load(sys.argv[1]), sys.argv[2]
scores, labels = arrays["scores"], arrays["labels"]
if kind == "regression":
    told = {
        "mse": metrics.mean_squared_error(labels, scores),
        "absolute_loss": metrics.mean_absolute_error(labels, scores),
        "r2": metrics.r2_score(labels, scores),
    }
elif kind == "binary":
    said = scores >= 0.25
    told = {
        "binary_classification_accuracy": metrics.accuracy_score(labels, said),
        "binary_f_2.000": metrics.fbeta_score(labels, said, beta=2),
        "precision": metrics.precision_score(labels, said),
        "recall": metrics.recall_score(labels, said),
        "roc_auc_score": metrics.roc_auc_score(labels, scores),
    }
else:
    said = scores.argmax(axis=1)
    precision, recall, f, _ = metrics.precision_recall_fscore_support(labels, said, beta=2, average="macro")
    told = {
        "multiclass_accuracy": metrics.accuracy_score(labels, said),
        "multiclass_top_k_accuracy_2": metrics.top_k_accuracy_score(labels, scores, k=2),
        "dcg": metrics.dcg_score(labels[:, None] == numpy.arange(4), scores),
        "macro_precision": precision,
        "macro_recall": recall,
        "macro_f_2.000": f,
        "multiclass_balanced_accuracy": metrics.balanced_accuracy_score(labels, said),
    }
print(json.dumps(told))
"""


def judged(kind: str) -> Judgement:
    if kind == "binary":
        return Binary(0.25, 2.0)
    return Multiclass(4, {"accuracy_top_k": 2, "f_beta": 2.0}) if kind == "multiclass" else Regression()


class Pair:
    """In place of a team: what two instances have, added up."""

    def __init__(self, other: Judgement) -> None:
        self._other = other

    def sum(self, *arrays: Any) -> list[Any]:
        return [one + two for one, two in zip(arrays, self._other._sums, strict=True)]


@pytest.mark.parametrize("kind", ["binary", "multiclass", "regression"])
def test_what_is_told_is_what_scikit_learn_says_of_all_rows(tmp_path: Path, kind: str) -> None:
    random = np.random.default_rng(2)
    labels = random.integers(0, {"binary": 2, "multiclass": 4, "regression": 9}[kind], 3000).astype(np.float32)
    noise = random.normal(0, 1, (3000, 4)).astype(np.float32)
    scores = noise + (labels[:, None] == np.arange(4)) if kind == "multiclass" else labels - 0.5 + noise[:, 0]
    parts = [judged(kind), judged(kind)]
    for start in range(0, 3000, 500):
        rows = slice(start, start + 500)
        parts[start // 500 % 2].add(scores[rows], labels[rows])
    parts[0].together(Pair(parts[1]))  # type: ignore[arg-type]
    np.savez(tmp_path / "arrays.npz", scores=scores, labels=labels)
    expected = reference("kmeans:1", REFERENCE, tmp_path / "arrays.npz", kind)
    assert parts[0].told() == pytest.approx(expected, abs=1e-4)


def test_scores_that_tell_nothing_have_half_of_the_area() -> None:
    same = Binary(0.0, 1.0)
    same.add(np.zeros(4, np.float32), np.array([0, 1, 0, 1], np.float32))
    assert same.told()["roc_auc_score"] == 0.5
