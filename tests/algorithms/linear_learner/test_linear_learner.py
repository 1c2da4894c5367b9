"""Linear Learner through the SDK's own class, and its quality beside scikit-learn's linear models."""

import json
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from clary.algorithms.errors import UserError
from clary.algorithms.kit.parameters import settle
from clary.algorithms.kit.team import Team
from clary.algorithms.linear_learner.descent import COMMON
from clary.algorithms.linear_learner.hyperparameters import HYPERPARAMETERS
from clary.algorithms.linear_learner.population import Plan
from clary.algorithms.linear_learner.progress import Progress
from clary.algorithms.linear_learner.selection import Choice, Sample, best_threshold
from tests.algorithms.container import write_tables
from tests.algorithms.walk import walk_rows
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

IMAGE = "linear-learner:1"
TRAIN = ("clary.algorithms", "linear-learner", "train")
REFERENCE = """
import sys, numpy
from sklearn.linear_model import HuberRegressor, LogisticRegression, Ridge
from sklearn.metrics import mean_squared_error
found = numpy.load(sys.argv[1])
train, test = (found["rows"][:2000], found["labels"][:2000]), (found["rows"][2000:], found["labels"][2000:])
model = {"Ridge": Ridge, "Huber": lambda: HuberRegressor(max_iter=1000), "Logistic": LogisticRegression}[sys.argv[2]]()
model.fit(*train)
print(model.score(*test) if sys.argv[2] == "Logistic" else mean_squared_error(test[1], model.predict(test[0])))
"""


def make_rows(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """3,000 rows with features of very different scales, and labels that depend on them linearly, but for noise."""
    random = np.random.default_rng(7)
    rows = random.normal(3, 1, (3000, 12)) * 10.0 ** random.integers(-2, 3, 12)
    # Correlated features, which make the scale of a step matter.
    rows[:, 1] += rows[:, 0]
    plain = (rows - rows.mean(0)) / rows.std(0)
    weights = random.normal(0, 1, (12, 4))
    if kind == "regressor":
        labels = 100 + 20 * (plain @ weights[:, 0]) + random.standard_t(2, 3000) * 10
    elif kind == "binary_classifier":
        labels = plain @ weights[:, 0] + random.logistic(0, 1, 3000) > 0.5
    else:
        labels = (plain @ weights + random.gumbel(0, 1, (3000, 4))).argmax(1)
    return rows.astype(np.float32), labels.astype(np.float32)


def reference(path: Path, rows: np.ndarray, labels: np.ndarray, model: str) -> float:
    np.savez(path, rows=rows, labels=labels)
    return float(subprocess.check_output([python_of(IMAGE), "-c", REFERENCE, str(path), model]))


STOPPING = re.compile(r"#early_stopping_criteria_metric: host=algo-1, epoch=\d+, criteria=(\w+), value=(\S+)")


def score_of(output: str, metric: str) -> float:
    [line] = [line for line in output.splitlines() if f"test {metric} <" in line]
    return float(line.rpartition("=")[2])


@pytest.mark.clients
def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path) -> None:
    rows, labels = make_rows("binary_classifier")
    parameters = {
        "predictor_type": "binary_classifier",
        "binary_classifier_model_selection_criteria": "recall_at_target_precision",
        "target_precision": 0.95,
        "mini_batch_size": 200,
    }
    channels = {
        "train_rows": rows[:2000],
        "train_labels": labels[:2000],
        "validation_rows": rows[2000:],
        "validation_labels": labels[2000:],
    }
    found = walk_rows(platform, tmp_path, "linear-learner", "LinearLearner", parameters, asked=rows[2000:], **channels)
    truth, said = labels[2000:] == 1, found.records["predicted_label"][:, 0] == 1
    # The threshold is chosen on these rows: as many as can be are found while 95 % of what is found is right.
    assert 0.95 <= (truth & said).sum() / said.sum() <= 0.97
    scores = found.records["score"][:, 0]
    assert 0 < scores.min() < scores[~said].max() < scores[said].min() < scores.max() < 1
    assert list(found.json[0]) == ["score", "predicted_label"]
    assert found.metrics["validation:precision"] == pytest.approx((truth & said).sum() / said.sum())
    assert found.metrics["validation:recall"] == pytest.approx((truth & said).sum() / truth.sum())
    assert 0.8 < found.metrics["validation:roc_auc_score"] < 1
    assert all(0 < found.metrics[f"{name}:objective_loss"] < np.log(2) for name in ("train", "validation"))
    assert 0 < found.metrics["validation:objective_loss:final"] < np.log(2)
    precision, recall = (found.metrics[f"validation:{name}"] for name in ("precision", "recall"))
    assert found.metrics["validation:binary_f_beta"] == pytest.approx(2 * precision * recall / (precision + recall))


@pytest.mark.parametrize(
    ("kind", "loss", "metric", "model"),
    [
        ("regressor", "squared_loss", "mse", "Ridge"),
        ("regressor", "huber_loss", "mse", "Huber"),
        ("binary_classifier", "logistic", "binary_classification_accuracy", "Logistic"),
        ("binary_classifier", "hinge_loss", "binary_classification_accuracy", "Logistic"),
        ("multiclass_classifier", "auto", "multiclass_accuracy", "Logistic"),
    ],
)
def test_it_is_as_good_as_scikit_learn(tmp_path: Path, kind: str, loss: str, metric: str, model: str) -> None:
    rows, labels = make_rows(kind)
    container = Container(tmp_path / "ml", python_of(IMAGE))
    write_tables(
        container,
        train=np.column_stack([labels, rows])[:2000],
        validation=np.column_stack([labels, rows])[:2000],
        test=np.column_stack([labels, rows])[2000:],
    )
    parameters = {"predictor_type": kind, "loss": loss, "num_classes": "4", "mini_batch_size": "200"}
    container.configure("hyperparameters", parameters)
    status, output = container.run(*TRAIN)
    assert status == 0, output
    [model_found] = re.findall("Best model found for hyperparameters: (.*)", output)
    told = json.loads(model_found)
    assert told.keys() == {"learning_rate", "l1", "wd", *COMMON}
    assert told["optimizer"] == "adam"
    assert output.count("#early_stopping_criteria_metric: host=") == output.count(" % of epochs")
    assert "completed 100 % of epochs" in output
    found, best = score_of(output, metric), reference(tmp_path / "data.npz", rows, labels, model)
    assert found <= 1.02 * best if metric == "mse" else found >= best - 0.015


def epochs_until(shortfalls: list[float], patience: int, tolerance: float) -> int:
    """When a job is over in which those become small, as AWS's guide has it."""
    best, since = shortfalls[0], 0
    for epoch, shortfall in enumerate(shortfalls[1:], 2):
        better = shortfall < best and (best - shortfall) / best >= tolerance
        best, since = (shortfall, 0) if better else (best, since + 1)
        if since == patience:
            return epoch
    return len(shortfalls) + 1


@pytest.mark.parametrize(
    ("channel", "criterion", "watched", "early"),
    [
        ("validation", {}, "sampled_accuracy", True),
        ("validation", {"binary_classifier_model_selection_criteria": "f_beta", "f_beta": "2"}, "sampled_f_beta", True),
        (
            "validation",
            {"binary_classifier_model_selection_criteria": "loss_function"},
            "binary_classification_cross_entropy_objective",
            False,
        ),
        ("train", {}, "binary_classification_cross_entropy_objective", False),
    ],
)
def test_it_stops_early_by_the_criterion(
    tmp_path: Path, channel: str, criterion: dict[str, str], watched: str, early: bool
) -> None:
    """Rows that are told apart soon and ever more surely: the criterion stays where it is while the loss falls."""
    random = np.random.default_rng(2)
    labels = np.arange(600) % 2
    table = np.column_stack([labels, random.normal(0, 1, (600, 3)) + 4 * labels[:, None]])
    container = Container(tmp_path / "ml", python_of(IMAGE))
    write_tables(container, **dict.fromkeys(("train", channel), table))
    parameters = {"predictor_type": "binary_classifier", "num_models": "1", "epochs": "12", "learning_rate": "0.01"}
    stopping = {"early_stopping_patience": "2", "early_stopping_tolerance": "0.01"}
    container.configure("hyperparameters", {**parameters, **stopping, **criterion})
    status, output = container.run(*TRAIN)
    assert status == 0, output
    names, values = zip(*STOPPING.findall(output), strict=True)
    assert set(names) == {watched}
    told = [float(value) for value in values]
    losses = [float(loss) for loss in re.findall(rf"epoch=\d+, {channel} \w+_objective <loss>=(\S+)", output)]
    # By the loss it would have gone on.
    assert epochs_until(losses, 2, 0.01) > len(losses), losses
    if early:
        assert len(told) == epochs_until([1 - value for value in told], 2, 0.01) < 12
        assert len(told) == len(losses)
    else:
        assert told == losses
        assert len(told) == 12


def test_progress_is_relative_to_what_is_missing() -> None:
    progress = Progress(2, {"early_stopping_patience": 2, "early_stopping_tolerance": 0.1})
    nothing = np.nan
    seen = [
        # What falls short, the losses, which are better than ever, and for how many epochs the best is not.
        ((0.4, nothing), (1.0, nothing), [True, False], 0),
        ((0.37, 0.5), (0.9, 2.0), [True, True], 1),
        ((0.37, 0.36), (0.95, 1.0), [False, True], 0),
        ((0.37, 0.36), (0.8, 1.0), [True, False], 1),
        ((0.36, 0.0), (0.8, 1.0), [True, True], 0),
        ((0.0, 0.0), (0.7, 0.9), [True, True], 1),
    ]
    for shortfalls, losses, better, stalled in seen:
        assert not progress.is_over
        assert progress.see(np.array(shortfalls), np.array(losses)).tolist() == better
        assert progress.stalled == stalled
    progress.see(np.array([0.0, 0.0]), np.array([0.6, 1.0]))
    assert progress.is_over
    assert progress.losses.tolist() == [0.6, 0.9]


def test_a_label_that_is_no_class_fails_the_job(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of(IMAGE))
    write_tables(container, train=np.array([[0, 1], [1, 2], [2, 3]], np.float32))
    container.configure("hyperparameters", {"predictor_type": "binary_classifier"})
    assert container.run(*TRAIN)[0] == 2
    assert container.failure is not None
    assert container.failure.startswith("ClientError: Unable to read data channel 'train'")
    assert container.failure.endswith(
        "data.csv: line 3 has the label 2: a binary_classifier needs labels that are whole numbers from 0 to 1"
    )


@pytest.mark.parametrize(
    ("given", "models"), [({}, 32), ({"num_models": "3"}, 3), ({"_tuning_objective_metric": "test:mse"}, 1)]
)
def test_it_trains_one_model_where_it_is_tuned(given: dict[str, str], models: int) -> None:
    # Of one class or of two, what is said of classes is ignored.
    settled = settle(HYPERPARAMETERS, {"predictor_type": "binary_classifier", "num_classes": "2", **given})
    assert Plan.of(settled).models == models


def test_several_classes_are_three_at_least() -> None:
    with pytest.raises(UserError, match="'2' is not valid for the 'num_classes'"):
        settle(HYPERPARAMETERS, {"predictor_type": "multiclass_classifier", "num_classes": "2"})


def test_a_loss_must_be_one_of_the_predictors(tmp_path: Path) -> None:
    container = Container(tmp_path / "ml", python_of(IMAGE))
    container.configure("hyperparameters", {"predictor_type": "regressor", "loss": "logistic"})
    assert container.run(*TRAIN)[0] == 2
    assert container.failure is not None
    assert container.failure.startswith("ClientError: The value 'logistic' is not valid for the 'loss'")


@pytest.mark.parametrize(
    ("criterion", "threshold"),
    [
        ({"binary_classifier_model_selection_criteria": "accuracy"}, 0.45),
        ({"binary_classifier_model_selection_criteria": "precision_at_target_recall", "target_recall": 1.0}, 0.15),
        ({"binary_classifier_model_selection_criteria": "recall_at_target_precision", "target_precision": 1.0}, 0.8),
        ({"binary_classifier_model_selection_criteria": "f_beta", "f_beta": 3.0}, 0.15),
    ],
)
def test_a_threshold_serves_the_criterion(criterion: dict[str, object], threshold: float) -> None:
    scores = np.array([0.9, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], np.float32)
    labels = np.array([1, 0, 1, 1, 0, 0, 1, 0], np.float32)
    assert best_threshold(scores, labels, 0.0, criterion).threshold == pytest.approx(threshold)


def test_a_precision_that_no_threshold_has_is_worth_nothing() -> None:
    criterion = {"binary_classifier_model_selection_criteria": "recall_at_target_precision", "target_precision": 0.9}
    scores, labels = np.array([0.9, 0.5], np.float32), np.array([0, 1], np.float32)
    assert best_threshold(scores, labels, 0.0, criterion) == Choice(0, 0.0)


def test_thresholds_are_those_of_the_rows_of_all_instances() -> None:
    random = np.random.default_rng(5)
    labels = random.integers(0, 2, 300).astype(np.float32)
    scores = (labels[:, None] + random.normal(0, 1, (300, 2))).astype(np.float32)
    settled = settle(HYPERPARAMETERS, {"predictor_type": "binary_classifier", "num_calibration_samples": "150"})
    hosts = ["127.89.3.1", "127.89.3.2"]

    def choose(host: str) -> list[Choice]:
        sample, start = Sample(2, settled), 150 * hosts.index(host)
        for first in range(start, start + 150, 100):  # The first has fifty rows more than it wants.
            assert not sample.full
            sample.add(scores[first : first + 100], labels[first : first + 100])
        assert sample.full
        return sample.choices(Team(hosts, host))

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(choose, hosts))
    assert found == [[best_threshold(each, labels, 0.0, settled) for each in scores.T]] * 2
