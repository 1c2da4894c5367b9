"""Data larger than memory: what reads batches trains, with several passes and with test data, in bounded memory."""

import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from clary.toolkits.recordio_writing import write_records
from tests.algorithms.container import sparse_records
from tests.algorithms.processes import memory_of, program_of
from tests.environments import python_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, put, wait_until
from tests.services.sagemaker.training.test_retries import agents
from tests.toolkits.container import Container

MEGABYTE = 1024 * 1024
LIMIT = 300 * MEGABYTE
"""Of all that a training has resident: interpreter, libraries, rows and model."""
LEAST = 40 * MEGABYTE
"""What the interpreter has with numpy alone."""
GIGABYTE = 1024 * MEGABYTE
GROWTH = 20 * MEGABYTE
"""What may be between two trainings of which one has five times the data: it would be 35 if that were held."""
FEATURES = 100
WIDTH = 10_000
"""Columns of sparse rows, of which each has a twentieth."""
MEASURED = """
import atexit, pathlib, re, runpy

def tell() -> None:
    [peak] = re.findall(r"VmHWM:\\s+(\\d+) kB", pathlib.Path("/proc/self/status").read_text())
    print(f"#peak={peak}", flush=True)

atexit.register(tell)
runpy.run_module("clary.algorithms", run_name="__main__", alter_sys=True)
"""
"""The program, which says in the end how much memory it ever had."""
FEED = 'exec >"$2"; n=0; while [ $n -lt $3 ] && cat "$1"; do n=$((n+1)); done'
"""A file so many times, into a pipe once it is opened; who closes it early has read enough."""


@cache
def dense() -> bytes:
    random = np.random.default_rng(0)
    rows = random.normal(size=(10_000, FEATURES)).astype(np.float32)
    return write_records({"values": rows}, {"values": (rows[:, 0] > 0).astype(np.float32)})


@cache
def sparse() -> bytes:
    random = np.random.default_rng(0)
    rows = np.zeros((1000, WIDTH), np.float32)
    np.put_along_axis(rows, random.integers(0, WIDTH, (1000, WIDTH // 20)), 1, axis=1)
    return sparse_records(rows, (rows[:, : WIDTH // 2].sum(1) > WIDTH // 40).astype(np.float32))


class Case(NamedTuple):
    name: str
    parameters: dict[str, str]
    make: Callable[[], bytes] = dense
    passes: int = 1
    """Times that the training data is read."""
    tested: float = 1
    """How much of the data comes as the channel `test`, too: where to judge a row takes long, little of it."""
    short: Mapping[str, str] | None = {}
    """Parameters that make a training short and its model small; None where another case is short enough."""


CLASSIFIER = {"predictor_type": "binary_classifier"}
LINEAR = {**CLASSIFIER, "epochs": "2"}
SMALL_BATCHES = {"mini_batch_size": "200"}
TWO_MODELS = {"num_models": "2", "num_point_for_scaler": "500", "num_calibration_samples": "10000"}
COMPONENTS = {"num_components": "5", "mini_batch_size": "1000"}
FACTORS = {**CLASSIFIER, "num_factors": "8"}
FEW_TREES = {"num_trees": "50", "num_samples_per_tree": "64"}
NEIGHBOURS = {"predictor_type": "classifier", "k": "3", "sample_size": "100000"}
CASES = {
    "kmeans": Case("kmeans", {"k": "5", "epochs": "2"}, passes=2),
    "pca": Case("pca", COMPONENTS),
    "pca-randomized": Case("pca", {**COMPONENTS, "algorithm_mode": "randomized"}),
    "linear-learner": Case("linear-learner", LINEAR, passes=3, short=TWO_MODELS),
    "linear-learner-sparse": Case("linear-learner", LINEAR, sparse, passes=3, short=None),
    "factorization-machines": Case("factorization-machines", FACTORS),
    "factorization-machines-sparse": Case("factorization-machines", FACTORS, sparse, short=SMALL_BATCHES),
    "randomcutforest": Case("randomcutforest", {}, tested=0.01, short=FEW_TREES),
    "knn": Case("knn", NEIGHBOURS, tested=0.01, short={"sample_size": "5000"}),
}


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.short is not None])
def test_five_times_as_much_takes_no_more_memory(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    few, many = (peak_of(tmp_path / str(blocks), case, blocks, case.short or {}) for blocks in (2, 10))
    assert many - few < GROWTH


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_gigabyte_trains_in_bounded_memory(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    assert peak_of(tmp_path, case, GIGABYTE // len(case.make()) + 1, {}) < LIMIT


@pytest.mark.slow
def test_a_gigabyte_comes_through_the_platform(own_platform: Platform) -> None:
    for number in range(GIGABYTE // len(dense()) + 1):
        uri = put(own_platform, f"rows/{number:04}", dense())
    source = {"S3DataType": "S3Prefix", "S3Uri": uri.rpartition("/")[0]}
    own_platform.client("sagemaker").create_training_job(
        TrainingJobName="gigabyte",
        AlgorithmSpecification={
            "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
            "TrainingInputMode": "Pipe",
        },
        RoleArn=ROLE,
        HyperParameters={"feature_dim": str(FEATURES), "k": "5"},
        InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 3600},
    )
    program = wait_until(lambda: max(map(program_of, agents(own_platform).values()), default=0))
    # The kernel's record of a process is gone with it: the last one that was seen counts.
    peak = 0
    while now := memory_of(program):
        peak = now
        time.sleep(0.05)
    job = ended(own_platform, "gigabyte")
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert LEAST < peak < LIMIT


def peak_of(directory: Path, case: Case, blocks: int, parameters: Mapping[str, str]) -> int:
    """Bytes that a training had resident at most, whose data came through pipes."""
    container = Container(directory / "ml", python_of(f"{case.name}:1"))
    (directory / "block").write_bytes(case.make())
    (container.root / "measured.py").write_text(MEASURED)
    tested = int(case.tested * blocks)
    width = WIDTH if case.make is sparse else FEATURES
    container.configure("hyperparameters", {"feature_dim": str(width), **case.parameters, **parameters})
    channels = ["train", "test"] if tested else ["train"]
    container.configure("inputdataconfig", {name: {"TrainingInputMode": "Pipe"} for name in channels})
    pipes = {f"train_{epoch}": blocks for epoch in range(case.passes)} | {"test_0": tested}
    with fed(container, directory / "block", pipes):
        process = container.start("measured", case.name, "train")
        output, _ = process.communicate()
    assert process.returncode == 0, output
    print(output)
    assert list((container.root / "model").iterdir())
    [peak] = re.findall(r"#peak=(\d+)", output)
    return int(peak) * 1024


@contextmanager
def fed(container: Container, block: Path, pipes: Mapping[str, int]) -> Iterator[None]:
    """Pipes of these names below `input/data`, each with the block so many times."""
    feeders = []
    for name, times in pipes.items():
        path = container.root / "input/data" / name
        os.mkfifo(path)
        feeders.append(subprocess.Popen(["sh", "-c", FEED, "feed", block, path, str(times)]))
    try:
        yield
    finally:
        for feeder in feeders:
            feeder.kill()
            feeder.wait()
