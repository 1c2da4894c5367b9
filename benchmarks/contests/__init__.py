"""Contests of built-in algorithms with their reference libraries: one module each, run in the algorithm's environment.

A module calls `contest` with the job that it times, and with what the reference does on the same data.
`benchmarks.algorithms` runs them all and makes the table.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from clary.algorithms.__main__ import find
from clary.algorithms.kit.job import open_job
from clary.toolkits.recordio_writing import write_records

ROUNDS = 3

Timed = Callable[[], Any]
"""What is timed; returns what its quality is judged by."""


@dataclass(frozen=True, slots=True)
class Given:
    """What lies in a channel, in File mode."""

    files: Mapping[str, bytes]
    content_type: str = ""
    """Empty: that of a channel which names none."""


class TrainingJob:
    """A job of one algorithm on what its channels hold. A call trains anew and gives the directory of the model."""

    def __init__(self, name: str, channels: Mapping[str, Given], **parameters: object) -> None:
        self.algorithm = find(name)
        self._directory = tempfile.TemporaryDirectory(prefix="contest-")
        root = Path(self._directory.name)
        for directory in ("input/config", "model"):
            (root / directory).mkdir(parents=True)
        self._configure("hyperparameters", {name: str(value) for name, value in parameters.items()})
        self._configure("inputdataconfig", {name: _settings(given) for name, given in channels.items()})
        for channel, given in channels.items():
            for path, content in given.files.items():
                file = root / "input/data" / channel / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)

    def __call__(self) -> Any:
        os.environ["SAGEMAKER_BASE_DIR"] = self._directory.name
        with contextlib.redirect_stdout(io.StringIO()):
            self.algorithm.train(open_job(self.algorithm))
        return os.path.join(self._directory.name, "model")

    def _configure(self, name: str, content: dict[str, Any]) -> None:
        path = Path(self._directory.name) / "input/config" / f"{name}.json"
        path.write_text(json.dumps(content))


class RowsJob(TrainingJob):
    """One whose rows lie in its channel `train` as RecordIO. A call trains anew and gives the model."""

    def __init__(self, name: str, rows: np.ndarray, labels: np.ndarray | None = None, **parameters: object) -> None:
        written = write_records({"values": rows}, {} if labels is None else {"values": labels})
        super().__init__(name, {"train": Given({"rows": written})}, **{"feature_dim": rows.shape[1], **parameters})

    def __call__(self) -> Any:
        return self.algorithm.load(super().__call__())


def contest(
    data: str,
    reference: str,
    ours: Timed,
    theirs: Timed,
    quality: str,
    judge: Callable[[Any], float],
    judge_theirs: Callable[[Any], float],
    rounds: int = ROUNDS,
) -> None:
    """Time both in turns, after a first time that does not count, and print the medians as a line of JSON."""
    results = ours(), theirs()
    times = np.array([[_seconds(work) for work in (ours, theirs)] for _ in range(rounds)])
    elapsed, processor = np.median(times, axis=0).T.tolist()
    print(
        json.dumps(
            {
                "data": data,
                "reference": reference,
                "seconds": elapsed,
                "processor": processor,
                "quality": quality,
                "values": [judge(results[0]), judge_theirs(results[1])],
            }
        ),
        flush=True,
    )


def _settings(given: Given) -> dict[str, str]:
    return {"ContentType": given.content_type} if given.content_type else {}


def _seconds(work: Timed) -> tuple[float, float]:
    """Those that went by, and those of processors, with processes that were begun and have ended."""
    began, used = time.perf_counter(), sum(os.times()[:4])
    work()
    _wait_for_gpu()
    return time.perf_counter() - began, sum(os.times()[:4]) - used


def _wait_for_gpu() -> None:
    """What PyTorch has told it to do may not be done yet."""
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_available():
        torch.cuda.synchronize()
