"""DeepAR through the SDK's generic Estimator, and as a process, its quality beside the seasonal naive forecast."""

import gzip
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from pyarrow import parquet

from tests.algorithms.estimators import estimate
from tests.algorithms.walk import metrics_of
from tests.clients.programs import await_deletion
from tests.environments import python_of
from tests.platform import Platform
from tests.toolkits.container import Container

TRAIN = ("clary.algorithms", "forecasting-deepar", "train")
AHEAD, WEEK = 14, 7
PARAMETERS = {
    "context_length": "14",
    "prediction_length": str(AHEAD),
    "epochs": "16",
    "time_freq": "D",
    "mini_batch_size": "32",
    "learning_rate": "5e-3",
    "num_eval_samples": "40",
}


def whole(count: int = 60, days: int = 140) -> list[dict[str, Any]]:
    """Two kinds of weeks, at any level, with a promotion every now and then that all may know of."""
    random, found = np.random.default_rng(0), []
    weeks = np.array([[1, 1.2, 1.1, 0.9, 1.4, 2, 0.5], [2, 0.5, 0.7, 1, 1.1, 0.9, 1.2]])
    for number in range(count):
        promoted = (random.random(days) < 0.1).astype(float)
        values = 10 ** random.uniform(0, 2) * weeks[number % 2][np.arange(days) % WEEK] * (1 + promoted)
        target = (values * random.normal(1, 0.1, days)).round(4)
        series = {"start": "2020-01-06 00:00:00", "target": target.tolist(), "cat": [number % 2]}
        found.append({**series, "dynamic_feat": [promoted.tolist()]})
    return found


def known(series: dict[str, Any]) -> dict[str, Any]:
    """A series without what is to be forecast."""
    return {**series, "target": series["target"][:-AHEAD], "dynamic_feat": [series["dynamic_feat"][0][:-AHEAD]]}


def lines(rows: list[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def naive_loss(rows: list[dict[str, Any]]) -> float:
    """wQuantileLoss[0.5] of last week once more."""
    truth = np.array([row["target"][-AHEAD:] for row in rows])
    last = np.array([row["target"][-AHEAD - WEEK : -AHEAD] for row in rows])
    return float(np.abs(np.tile(last, 2) - truth).sum() / np.abs(truth).sum())


@pytest.mark.slow
@pytest.mark.clients
def test_it_forecasts_better_than_last_week_does(platform: Platform, tmp_path: Path) -> None:
    rows = whole()
    train, test, asked = tmp_path / "train.json", tmp_path / "test.json.gz", tmp_path / "asked.jsonl"
    given = [known(row) for row in rows]
    given[0]["target"][3], given[1]["target"][4] = "NaN", None
    train.write_text(lines(given))
    test.write_bytes(gzip.compress(lines(rows).encode()))
    future = [{**known(row), "dynamic_feat": row["dynamic_feat"]} for row in rows[:2]]
    asked.write_text(lines(future))
    configuration = {"num_samples": 30, "output_types": ["mean", "quantiles", "samples"], "quantiles": ["0.1", "0.9"]}
    found = estimate(
        platform,
        tmp_path,
        {
            "algorithm": "forecasting-deepar",
            "hyperparameters": PARAMETERS,
            "channels": {"train": {"path": str(train)}, "test": {"path": str(test)}},
            "requests": [
                ("application/json", json.dumps({"instances": future, "configuration": configuration})),
                ("application/json", json.dumps({"instances": future[:1]})),
            ],
            "transform": {
                "path": str(asked),
                "environment": {"DEEPAR_INFERENCE_CONFIG": '{"num_samples": 20, "output_types": ["mean"]}'},
            },
        },
    )
    metrics = metrics_of(platform, found["job"])
    assert metrics["test:mean_wQuantileLoss"] < 0.6 * naive_loss(rows)
    assert {"train:final_loss", "test:RMSE", "test:mean_wQuantileLoss"} <= set(metrics)
    full, plain = (json.loads(answer)["predictions"] for answer in found["answers"])
    assert [set(each) for each in full] == [{"mean", "quantiles", "samples"}] * 2
    assert np.array(full[0]["samples"]).shape == (30, AHEAD)
    assert np.allclose(np.mean(full[0]["samples"], axis=0), full[0]["mean"], rtol=1e-4)
    low, high = (np.array(full[1]["quantiles"][level]) for level in ("0.1", "0.9"))
    truth = np.array(rows[1]["target"][-AHEAD:])
    assert ((low < truth) & (truth < high)).mean() > 0.4
    assert list(plain[0]["quantiles"]) == [f"0.{level}" for level in range(1, 10)]
    transformed = [json.loads(line) for line in found["transformed"].splitlines()]
    assert [(set(each), len(each["mean"])) for each in transformed] == [({"mean"}, AHEAD)] * 2
    await_deletion(platform, "forecasting-deepar")


@pytest.fixture
def forecaster(container: Container) -> Container:
    container.python = python_of("forecasting-deepar:1")
    return container


def give(container: Container, rows: list[dict[str, Any]] | str, **given: str) -> Path:
    container.configure("hyperparameters", PARAMETERS | given)
    container.configure("inputdataconfig", {"train": {"TrainingInputMode": "File"}})
    directory = container.root / "input" / "data" / "train"
    directory.mkdir(exist_ok=True)
    (directory / "train.json").write_text(rows if isinstance(rows, str) else lines(rows))
    return directory


@pytest.mark.parametrize(
    ("likelihood", "change"),
    [
        ("negative-binomial", lambda values: [round(value) for value in values]),
        ("beta", lambda values: [value / (value + 1) for value in values]),
    ],
)
def test_likelihoods_parquet_and_months(forecaster: Container, likelihood: str, change: Any) -> None:
    rows = [{"start": row["start"], "target": change(row["target"])} for row in whole(6, 60)]
    directory = give(forecaster, [], likelihood=likelihood, epochs="2", time_freq="2M", cardinality="ignore")
    (directory / "train.json").unlink()
    parquet.write_table(pyarrow.Table.from_pylist(rows), directory / "train.parquet")
    status, output = forecaster.run(*TRAIN)
    assert status == 0, output
    with forecaster.serve("clary.algorithms", "forecasting-deepar", "serve") as server:
        asked = {"instances": rows[:1], "configuration": {"num_samples": 10, "output_types": ["samples"]}}
        status, _, body = server.invoke(json.dumps(asked), "application/json")
        assert status == 200, body
        samples = np.array(json.loads(body)["predictions"][0]["samples"])
        wrong = server.invoke('{"instances": [{"start": "then", "target": [1]}]}', "application/json")
    assert samples.shape == (10, AHEAD)
    assert np.isfinite(samples).all()
    assert likelihood != "negative-binomial" or (samples == samples.round()).all()
    assert likelihood != "beta" or ((samples >= 0) & (samples <= 1)).all()
    assert wrong[0] == 400
    assert b"instance 0: start is 'then'" in wrong[2]


EARLY = {
    "epochs": "1000", "early_stopping_patience": "1", "learning_rate": "0.1", "likelihood": "gaussian",
}  # fmt: skip


def test_it_stops_early_and_saves_on_sigterm(forecaster: Container) -> None:
    give(forecaster, [known(row) for row in whole(6)], **EARLY)
    status, output = forecaster.run(*TRAIN)
    assert status == 0, output
    assert "stopping training now" in output
    (forecaster.root / "model" / "model.pt").unlink()
    give(forecaster, [known(row) for row in whole(6)], epochs="100000", likelihood="deterministic-L1")
    process = forecaster.start(*TRAIN)
    assert process.stdout is not None
    assert any("train loss <loss>=" in line for line in process.stdout)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert (forecaster.root / "model" / "model.pt").exists()


def test_what_requests_may_hold(forecaster: Container) -> None:
    """Missing values, a series without history, one that begins after the training did, and rows a line each."""
    rows = whole(8)
    short = {**rows[0], "target": [1.0], "dynamic_feat": [[0.0]]}
    give(forecaster, [short, *map(known, rows)], epochs="1")
    status, output = forecaster.run(*TRAIN)
    assert status == 0, output
    assert "1 of 9 series have less than prediction_length (14) values" in output
    base = known(rows[0])
    holes = {**base, "target": [None, "NaN", *base["target"][2:]], "dynamic_feat": rows[0]["dynamic_feat"]}
    new = {"start": "2021-02-03", "target": [], "cat": [1], "dynamic_feat": [[0.0] * AHEAD]}
    later = {"start": "2022-01-30", "target": [5.0], "cat": 0, "dynamic_feat": [[0.0] * (AHEAD + 1)]}
    asked = [holes, new, later]
    with forecaster.serve(
        "clary.algorithms",
        "forecasting-deepar",
        "serve",
        DEEPAR_INFERENCE_CONFIG='{"num_samples": 20, "output_types": ["quantiles"], "quantiles": ["0.5"]}',
    ) as server:
        plain = server.invoke(json.dumps({"instances": asked}), "application/json")
        by_line = server.invoke(lines(asked), "application/jsonlines")
        unknown = server.invoke(lines([{**new, "cat": [2]}]), "application/jsonlines")
        wrong = server.invoke(json.dumps({"instances": [], "configuration": {"quantiles": [1.5]}}), "application/json")
    assert (plain[0], by_line[0]) == (200, 200), (plain, by_line)
    answers = json.loads(plain[2])["predictions"]
    assert [set(each) for each in answers] == [{"mean", "quantiles"}] * 3
    assert np.isfinite([each["mean"] for each in answers]).all()
    told = [json.loads(line) for line in by_line[2].splitlines()]
    assert [list(each["quantiles"]) for each in told] == [["0.5"]] * 3
    assert unknown[0] == 400
    assert b"has the category 2 in cat, which must be from 0 to 1" in unknown[2]
    assert b"quantiles has 1.5, which is not between 0 and 1" in wrong[2]


ROW = {"start": "2020-01-01", "target": [1.0] * 40}


@pytest.mark.parametrize(
    ("rows", "given", "reason"),
    [
        ([], {}, "Unable to read data channel 'train': there is no data in it"),
        ([ROW, {"target": [1]}], {}, "train.json, line 2: there is no start"),
        ([{**ROW, "target": [1.0]}], {}, "No series of the channel train has prediction_length (14) values"),
        ("{}\nnonsense\n", {}, "train.json, line 1: there is no start"),
        ([ROW, {**ROW, "cat": [0]}], {}, "train.json, line 2 has another number of values in cat"),
        ([{**ROW, "cat": [2]}], {"cardinality": "[2]"}, "has the category 2 in cat, which must be from 0 to 1"),
        ([{**ROW, "dynamic_feat": [[1.0]]}], {}, "has dynamic_feat of 1 values, and 40 are needed"),
        ([ROW], {"time_freq": "1Y"}, "'1Y' is not valid for the 'time_freq'"),
        ([{**ROW, "target": [-1.0]}], {"likelihood": "beta"}, "train.json, line 1 has a target outside of 0 to 1"),
    ],
)
def test_what_is_wrong_is_said(forecaster: Container, rows: Any, given: dict[str, str], reason: str) -> None:
    give(forecaster, rows, **given)
    status, output = forecaster.run(*TRAIN)
    assert status != 0, output
    assert reason in (forecaster.failure or "")
    assert (forecaster.failure or "").startswith("ClientError: ")
