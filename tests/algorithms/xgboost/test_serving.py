"""The XGBoost algorithm serves real boosters over its socket."""

import contextlib
import http.client
import json
import os
import pickle
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import xgboost

from tests.algorithms import abalone
from tests.algorithms.xgboost.test_training import record
from tests.toolkits.container import Container, ModelServer

SERVE = ("clary.algorithms.xgboost", "serve")
TABLE = np.array(abalone.rows(), dtype=np.float32)
ROW = ",".join(abalone.rows()[0][1:])


def train(objective: str = "reg:squarederror", seed: int = 0, **more: object) -> xgboost.Booster:
    rings = TABLE[:, 0]
    label = {"binary": rings > 9, "multi": np.clip(rings // 8, 0, 2)}.get(objective.partition(":")[0], rings)
    parameters = {"objective": objective, "max_depth": 4, "seed": seed, "subsample": 0.8, "nthread": 1, **more}
    return xgboost.train(parameters, xgboost.DMatrix(TABLE[:, 1:], label=label), 10)


def expected(booster: xgboost.Booster, rows: int = 1) -> np.ndarray:
    return booster.predict(xgboost.DMatrix(TABLE[:rows, 1:]))


@contextmanager
def served(container: Container, *boosters: xgboost.Booster, **environment: str) -> Iterator[ModelServer]:
    for fold, booster in enumerate(boosters):
        (container.root / f"model/xgboost-model-{fold}").write_bytes(booster.save_raw("ubj"))
    with container.serve(*SERVE, **environment) as server:
        yield server


def test_every_content_type_and_accept(container: Container) -> None:
    booster = train()
    one, three = float(expected(booster)[0]), expected(booster, 3).tolist()
    rows = [",".join(row[1:]) for row in abalone.rows()[:3]]
    with served(container, booster) as server:
        status, content_type, body = server.invoke(ROW)
        assert (status, content_type) == (200, "text/csv")
        assert float(body) == pytest.approx(one)
        body = server.invoke("\n".join(rows) + "\n", "text/csv; charset=utf-8")[2]
        assert [float(score) for score in body.split(b",")] == pytest.approx(three)
        status, content_type, body = server.invoke("\n".join(rows), "text/csv", "application/json")
        assert content_type == "application/json"
        assert [entry["score"] for entry in json.loads(body)["predictions"]] == pytest.approx(three)
        body = server.invoke("\n".join(rows), "text/csv", "application/jsonlines")[2]
        assert [json.loads(line)["score"] for line in body.splitlines()] == pytest.approx(three)
        libsvm = abalone.as_libsvm(abalone.rows()[:3])
        for content_type in ("text/libsvm", "text/x-libsvm"):
            body = server.invoke(libsvm, content_type)[2]
            assert [float(score) for score in body.split(b",")] == pytest.approx(three)
        unlabelled = "\n".join(line.partition(" ")[2] for line in libsvm.splitlines())
        assert server.invoke(unlabelled, "text/libsvm")[2] == body
        binary = b"".join(record(0, [float(value) for value in row[1:]]) for row in abalone.rows()[:3])
        assert server.invoke(binary, "application/x-recordio-protobuf")[2] == body
        missing = ROW.replace("0.365", "")
        assert server.invoke(missing)[0] == 200
        assert server.invoke(missing.replace(",", "\t"))[2] == server.invoke(missing)[2]


def test_workers_have_one_model_between_them(container: Container) -> None:
    booster = train()
    with served(container, booster, SAGEMAKER_MODEL_SERVER_WORKERS="3") as server:
        answers = {server.invoke(ROW)[2] for _ in range(12)}
        assert [float(answer) for answer in answers] == pytest.approx([float(expected(booster)[0])])
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        assert len(children) == 3
        # Another has it from the process that they are forked from, and reads no file.
        model = container.root / "model/xgboost-model-0"
        model.unlink()
        os.kill(int(children[0]), signal.SIGKILL)
        for _ in range(6):
            with contextlib.suppress(ConnectionError, http.client.HTTPException):
                assert server.invoke(ROW)[2] in answers
        server.wait_until_ready()
        assert server.invoke(ROW)[2] in answers
    assert "starting another" in server.output


def test_errors_have_the_documented_status(container: Container) -> None:
    with served(container, train(), MAX_CONTENT_LENGTH="1000") as server:
        assert server.invoke("")[0] == 204
        status, _, body = server.invoke("a,b")
        assert status == 415
        assert b"please ensure data is in csv format" in body
        assert server.invoke("1", "image/png")[0] == 415
        assert server.invoke("1:x", "text/libsvm")[0] == 415
        assert server.invoke(b"junk", "application/x-recordio-protobuf")[0] == 415
        assert server.invoke(ROW, "text/csv", "image/png")[0] == 406
        status, _, body = server.invoke(ROW + ",1,2,3")
        assert status == 400
        assert body.startswith(b"Unable to evaluate payload provided: ")
        assert server.invoke("1," * 1000)[0] == 413
        status, content_type, body = server.request("GET", "/execution-parameters")
        assert (status, content_type) == (200, "application/json")
        assert json.loads(body)["BatchStrategy"] == "MULTI_RECORD"
        assert server.ping() == 200


def test_batch_transform_gets_a_line_per_row(container: Container) -> None:
    with served(container, train(), SAGEMAKER_BATCH="true") as server:
        body = server.invoke(f"{ROW}\n{ROW}\n")[2]
        assert body.endswith(b"\n")
        assert len(body.splitlines()) == 2


def test_folds_are_averaged_unless_told_otherwise(container: Container) -> None:
    boosters = [train(seed=seed) for seed in range(3)]
    scores = [float(expected(booster)[0]) for booster in boosters]
    assert len(set(scores)) == 3
    with served(container, *boosters) as server:
        assert float(server.invoke(ROW)[2]) == pytest.approx(np.mean(scores))
    with served(container, SAGEMAKER_INFERENCE_ENSEMBLE="false") as server:
        assert float(server.invoke(ROW)[2]) == pytest.approx(scores[0])


def test_a_pickled_booster_is_served(container: Container) -> None:
    booster = train()
    (container.root / "model/xgboost-model").write_bytes(pickle.dumps(booster))
    with container.serve(*SERVE) as server:
        assert float(server.invoke(ROW)[2]) == pytest.approx(float(expected(booster)[0]))


def test_no_model_ends_the_server_with_a_reason(container: Container) -> None:
    status, output = container.run(*SERVE, CLARY_BIND=f"unix:{container.root}/s")
    assert status != 0
    assert "There is no model in" in output
    (container.root / "model/xgboost-model").write_bytes(b"no model at all")
    status, output = container.run(*SERVE, CLARY_BIND=f"unix:{container.root}/s")
    assert status != 0
    assert "cannot be loaded" in output


def test_selected_output_of_a_classifier(container: Container) -> None:
    booster = train("binary:logistic")
    probability = float(expected(booster)[0])
    keys = "predicted_label,probability, probabilities,labels,predicted_score"
    with served(container, booster, SAGEMAKER_INFERENCE_OUTPUT=keys) as server:
        (entry,) = json.loads(server.invoke(ROW, "text/csv", "application/json")[2])["predictions"]
        assert list(entry) == keys.replace(" ", "").split(",")
        assert entry["predicted_label"] == int(probability > 0.5)
        assert entry["probability"] == pytest.approx(probability)
        assert entry["probabilities"] == pytest.approx([1 - probability, probability])
        assert entry["labels"] == [0, 1]
        assert np.isnan(entry["predicted_score"])
        line = server.invoke(ROW)[2].decode()
        assert line.startswith(f"{entry['predicted_label']},")
        assert '"[0, 1]"' in line


def test_selected_output_of_many_classes(container: Container) -> None:
    booster = train("multi:softprob", num_class=3)
    (probabilities,) = expected(booster).tolist()
    keys = "predicted_label,probabilities,labels"
    with served(container, booster, SAGEMAKER_INFERENCE_OUTPUT=keys) as server:
        body = server.invoke(f"{ROW}\n{ROW}", "text/csv", "application/jsonlines")[2]
        entries = [json.loads(line) for line in body.splitlines()]
        assert len(entries) == 2
        assert entries[0]["probabilities"] == pytest.approx(probabilities)
        assert entries[0]["predicted_label"] == int(np.argmax(probabilities))
        assert entries[0]["labels"] == [0, 1, 2]


def test_script_of_the_framework_gets_a_dmatrix(container: Container) -> None:
    booster = train()
    booster.save_model(container.root / "model/model.ubj")
    container.code(
        "inference.py",
        "import os, xgboost\n"
        "def model_fn(model_dir):\n"
        "    model = xgboost.Booster()\n"
        "    model.load_model(os.path.join(model_dir, 'model.ubj'))\n    return model\n",
    )
    variables = {"SAGEMAKER_PROGRAM": "inference.py"}
    with container.serve("clary.toolkits.serve", "--framework", "xgboost", **variables) as server:
        three = pytest.approx(expected(booster, 3).tolist())
        rows = "\n".join(",".join(row[1:]) for row in abalone.rows()[:3])
        assert json.loads(server.invoke(rows)[2]) == three
        libsvm = abalone.as_libsvm(abalone.rows()[:3])
        body = server.invoke(libsvm, "text/libsvm", "text/csv")[2]
        assert [float(score) for score in body.split()] == three
        assert server.invoke(b"x", "application/x-npy")[0] == 415
