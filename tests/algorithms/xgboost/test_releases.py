"""The algorithm on the releases that images name: what one trained, its own server and its own library read."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.algorithms import abalone
from tests.algorithms.xgboost.test_training import TRAIN, configure, give
from tests.environments import python_of
from tests.toolkits.container import Container

SERVE = ("clary.algorithms.xgboost", "serve")
ROWS = [",".join(row[1:]) for row in abalone.rows()[:3]]
PREDICT = """
import json, pickle, sys
import numpy, xgboost
path, rows = sys.argv[1], numpy.array([[float(value) for value in row.split(",")] for row in sys.argv[2:]])
content = open(path, "rb").read()
booster = pickle.loads(content) if content.startswith(pickle.PROTO) else xgboost.Booster(model_file=path)
print(json.dumps([xgboost.__version__, booster.predict(xgboost.DMatrix(rows), validate_features=False).tolist()]))
"""
RELEASES = {"xgboost:0.90-2": "0.90", "sagemaker-xgboost:1.7-1": "1.7.6"}


@pytest.fixture(params=sorted(RELEASES))
def image(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def container(tmp_path: Path, image: str) -> Container:
    return Container(tmp_path / "ml", python_of(image))


def predicted(container: Container, image: str) -> list[float]:
    """What the image's own library says of the rows by the model that was trained."""
    command = [container.python, "-c", PREDICT, str(container.root / "model/xgboost-model"), *ROWS]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    version, predictions = json.loads(done.stdout)
    assert version == RELEASES[image]
    return list(predictions)


def test_trains_and_serves(container: Container, image: str) -> None:
    learn, held = abalone.split()
    give(container, "train", abalone.as_csv(learn))
    give(container, "validation", abalone.as_csv(held))
    configure(container, "text/csv", "train", "validation", num_round="60", early_stopping_rounds="5", eta="0.6")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    rounds = re.findall(r"^\[(\d+)\]#011train-rmse:\d+\.\d{5}#011validation-rmse:(\d+\.\d{5})$", output, re.M)
    assert [int(number) for number, _ in rounds] == list(range(len(rounds)))
    assert 5 < len(rounds) < 60
    assert min(float(rmse) for _, rmse in rounds) < 2.4
    with container.serve(*SERVE) as server:
        body = server.invoke("\n".join(ROWS))[2]
        libsvm = server.invoke(abalone.as_libsvm(abalone.rows()[:3]), "text/libsvm")[2]
    assert [float(score) for score in body.split(b",")] == pytest.approx(predicted(container, image), rel=1e-5)
    assert libsvm == body


def test_checkpoints_folds_and_added_metrics(container: Container) -> None:
    give(container, "train", abalone.as_csv(abalone.rows()))
    (container.root / "checkpoints").mkdir()
    for rounds in ("3", "6"):
        configure(container, "text/csv", "train", num_round=rounds, eval_metric="mse,rmse")
        status, output = container.run(*TRAIN)
        assert status == 0, output
    assert "Resuming from iteration 3" in output
    assert re.search(r"^\[5\].*#011train-mse:\d", output, re.M)
    assert sorted(path.name for path in (container.root / "checkpoints").iterdir())[-1] == "xgboost-checkpoint.5"
    configure(container, "text/csv", "train", num_round="4", _kfold="2", _num_cv_round="1")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    assert {path.name for path in (container.root / "model").iterdir()} >= {"xgboost-model-0", "xgboost-model-1"}


def test_classes_by_selected_output(container: Container) -> None:
    rows = [[str(min(int(row[0]) // 8, 2)), *row[1:]] for row in abalone.rows()]
    give(container, "train", abalone.as_csv(rows))
    configure(container, "text/csv", "train", num_round="5", objective="multi:softprob", num_class="3")
    status, output = container.run(*TRAIN)
    assert status == 0, output
    with container.serve(*SERVE, SAGEMAKER_INFERENCE_OUTPUT="predicted_label,labels,probabilities") as server:
        status, _, body = server.invoke(ROWS[0], "text/csv", "application/json")
    assert status == 200, body
    (record,) = json.loads(body)["predictions"]
    assert record["labels"] == [0, 1, 2]
    assert sum(record["probabilities"]) == pytest.approx(1, abs=1e-4)


def test_groups_of_libsvm(container: Container) -> None:
    lines = [f"{number % 2} qid:{number // 10} 0:{number} 1:{number % 3}" for number in range(60)]
    give(container, "train", "\n".join(lines) + "\n")
    configure(container, "text/libsvm", "train", num_round="3", objective="rank:pairwise")
    status, output = container.run(*TRAIN)
    assert status == 0, output
