"""An algorithm's program (`programs/`), run in the environment of SDK v2; and its reference, in that of the image."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.clients.programs import await_deletion, client_program, run
from tests.environments import clary_alone, python_of
from tests.platform import Platform

PROGRAMS = Path(__file__).parent / "programs"


@dataclass(frozen=True, slots=True)
class Walk:
    """What a class whose requests are rows was seen to answer."""

    records: dict[str, np.ndarray]
    """By the label's name, one row each."""
    json: list[dict[str, Any]]
    """Of the first two rows."""
    metrics: dict[str, float]
    """The training job's."""


def walk(platform: Platform, name: str, *arguments: Path | str, program: str = "") -> dict[str, Any]:
    """What the program of that name printed, the endpoint of its algorithm deleted."""
    command = [client_program("v2", "python"), str(PROGRAMS / f"{program or name}.py"), *map(str, arguments)]
    found: dict[str, Any] = json.loads(run(command, platform.program_environment(), PROGRAMS).splitlines()[-1])
    await_deletion(platform, name)
    return found


def walk_rows(
    platform: Platform, directory: Path, name: str, sdk_class: str, parameters: dict[str, Any], **arrays: np.ndarray
) -> Walk:
    """`arrays` are `<channel>_rows` and `<channel>_labels`, and `asked`, which are predicted. What is answered as
    JSON, JSON Lines and RecordIO is the same."""
    np.savez(directory / "arrays.npz", **arrays)
    fitting = {key: value for key, value in parameters.items() if key == "mini_batch_size"}
    own = {key: value for key, value in parameters.items() if key not in fitting}
    arguments = (sdk_class, json.dumps(own), json.dumps(fitting), directory / "arrays.npz")
    told = walk(platform, name, *arguments, program="rows")
    records = {label: np.array(values) for label, values in told["records"].items()}
    answers = told["json"]["predictions"]
    assert told["instances"] == told["json"]
    assert told["jsonlines"] == answers
    for position, row in enumerate(answers):
        assert set(row) == set(records)
        for label, value in row.items():
            assert np.atleast_1d(value) == pytest.approx(records[label][position], rel=1e-4, abs=1e-5)
    return Walk(records, answers, metrics_of(platform, told["job"]))


def metrics_of(platform: Platform, job: str) -> dict[str, float]:
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=job)
    return {metric["MetricName"]: metric["Value"] for metric in described["FinalMetricDataList"]}


def reference(image: str, program: str, *arguments: Path | str) -> Any:
    """What a Python program prints as JSON in the environment of an image, beside Clary's own modules."""
    command = [python_of(image), "-c", program, *map(str, arguments)]
    return json.loads(subprocess.check_output(command, env={**os.environ, "PYTHONPATH": clary_alone()}, text=True))
