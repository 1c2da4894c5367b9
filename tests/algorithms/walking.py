"""Walks a class of the SDK's own algorithms through training, an endpoint and predictions."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clients.programs import await_deletion, client_program, run
from tests.platform import Platform

PROGRAM = str(Path(__file__).parent / "programs" / "walk.py")


@dataclass(frozen=True, slots=True)
class Walk:
    records: dict[str, np.ndarray]
    """What the predictor's records say: one row each."""
    json: list[dict[str, Any]]
    """Of the first two rows, sent as JSON."""
    metrics: dict[str, float]


def walk(
    platform: Platform, directory: Path, repository: str, name: str, parameters: dict[str, Any], **arrays: np.ndarray
) -> Walk:
    """`arrays` are `<channel>_rows` and `<channel>_labels`, and `asked`, which are predicted. What is answered as
    JSON, JSON Lines and RecordIO is the same."""
    np.savez(directory / "arrays.npz", **arrays)
    fitting = {"mini_batch_size": parameters.pop("mini_batch_size")} if "mini_batch_size" in parameters else {}
    command = [client_program("v2", "python"), PROGRAM, name, json.dumps(parameters), json.dumps(fitting)]
    printed = run([*command, str(directory / "arrays.npz")], platform.program_environment(), directory)
    told = json.loads(printed.splitlines()[-1])
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=told["job"])
    await_deletion(platform, repository)
    records = {label: np.array(values) for label, values in told["records"].items()}
    for position, row in enumerate(told["json"]):
        assert told["jsonlines"][position] == row
        assert set(row) == set(records)
        for label, value in row.items():
            assert np.atleast_1d(value) == pytest.approx(records[label][position], rel=1e-4, abs=1e-5)
    metrics = {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}
    return Walk(records, told["json"], metrics)
