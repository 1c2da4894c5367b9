"""Contests of built-in algorithms with their reference libraries: one module each, run in the algorithm's environment.

A module calls `contest` with the job that it times, and with what the reference does on the same rows.
`benchmarks.algorithms` runs them all and makes the table.
"""

import contextlib
import io
import json
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from clary.algorithms.__main__ import find
from clary.algorithms.kit.job import open_job
from clary.toolkits.recordio_writing import write_records

ROUNDS = 3

Timed = Callable[[], Any]
"""What is timed; returns what its quality is judged by."""


class TrainingJob:
    """A job of one algorithm on rows that lie in its channel as RecordIO. A call trains anew and gives the model."""

    def __init__(self, name: str, rows: np.ndarray, labels: np.ndarray | None = None, **parameters: object) -> None:
        self._algorithm = find(name)
        root = Path(tempfile.mkdtemp(prefix="contest-"))
        os.environ["SAGEMAKER_BASE_DIR"] = str(root)
        for directory in ("input/config", "input/data/train", "model"):
            (root / directory).mkdir(parents=True)
        given = {"feature_dim": rows.shape[1], **parameters}
        self._configure("hyperparameters", {name: str(value) for name, value in given.items()})
        self._configure("inputdataconfig", {"train": {}})
        written = write_records({"values": rows}, {} if labels is None else {"values": labels})
        (root / "input/data/train/rows").write_bytes(written)

    def __call__(self) -> Any:
        root = os.environ["SAGEMAKER_BASE_DIR"]
        with contextlib.redirect_stdout(io.StringIO()):
            self._algorithm.train(open_job(self._algorithm))
        return self._algorithm.load(os.path.join(root, "model"))

    def _configure(self, name: str, content: dict[str, Any]) -> None:
        path = Path(os.environ["SAGEMAKER_BASE_DIR"]) / "input/config" / f"{name}.json"
        path.write_text(json.dumps(content))


def contest(
    data: str,
    reference: str,
    ours: Timed,
    theirs: Timed,
    quality: str,
    judge: Callable[[Any], float],
    judge_theirs: Callable[[Any], float],
) -> None:
    """Time both in turns, after a first time that does not count, and print the medians as a line of JSON."""
    results = ours(), theirs()
    times = [[_seconds(work) for work in (ours, theirs)] for _ in range(ROUNDS)]
    medians = [statistics.median(column) for column in zip(*times, strict=True)]
    print(
        json.dumps(
            {
                "data": data,
                "reference": reference,
                "seconds": medians,
                "quality": quality,
                "values": [judge(results[0]), judge_theirs(results[1])],
            }
        ),
        flush=True,
    )


def clean() -> None:
    shutil.rmtree(os.environ["SAGEMAKER_BASE_DIR"])


def _seconds(work: Timed) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
