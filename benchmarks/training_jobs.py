"""What a training job adds to the wall time of its script (P1): from the call that creates it to `Completed` seen.

    python -m benchmarks.training_jobs [jobs]

The script writes a model and ends, so nearly all of the time is the platform's. Ways of running it: python alone; a
training job in script mode, created and polled through the API; the same where its image's environment is not there
and is built from packages that were downloaded before; the first again, on a Ray cluster of one node; a job of a local
Ray, submitted and polled through its client, which is kinder to Ray than the `ray job submit` command that starts a
python first.
"""

import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from tests.engines.ray.cluster import Cluster
from tests.platform import Platform

from benchmarks.peer import NoPeer, measurements
from clary.settings import default_cache

GOAL = 0.5
POLL = 0.01
BUCKET = "benchmark"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
SCRIPT = """import os
from pathlib import Path

Path(os.environ.get("SM_MODEL_DIR", os.path.dirname(os.path.abspath(__file__))), "model.txt").write_text("trained")
"""


def time_bare(script: Path, runs: int) -> list[float]:
    times = []
    for _ in range(runs):
        began = time.perf_counter()
        subprocess.run([sys.executable, str(script)], check=True, cwd=script.parent)
        times.append(time.perf_counter() - began)
    return times


def upload(s3: Any) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT)
        archive.addfile(member, io.BytesIO(SCRIPT.encode()))
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="sourcedir.tar.gz", Body=packed.getvalue())


def time_job(sagemaker: Any, name: str) -> float:
    began = time.perf_counter()
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/SageMakerRole",
        HyperParameters={
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": f'"s3://{BUCKET}/sourcedir.tar.gz"',
        },
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
    )
    while True:
        described = sagemaker.describe_training_job(TrainingJobName=name)
        if described["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            break
        time.sleep(POLL)
    seconds = time.perf_counter() - began
    if described["TrainingJobStatus"] != "Completed":
        raise SystemExit(f"{name}: {described['TrainingJobStatus']}: {described.get('FailureReason')}")
    return seconds


def time_clary(state: Path, runs: int, *options: str) -> list[float]:
    platform = Platform(state, *options).up()
    try:
        sagemaker = platform.client("sagemaker")
        upload(platform.client("s3"))
        time_job(sagemaker, "warm-up")  # As with Ray's.
        return [time_job(sagemaker, f"job-{number}") for number in range(runs)]
    finally:
        platform.down()


def time_on_ray(directory: Path, runs: int) -> list[float]:
    cluster = Cluster(directory / "nodes")
    try:
        engine = ("--engine", cluster.up(1).address, "--advertise", "http://127.0.0.1:0")
        return time_clary(directory / "state", runs, *engine)
    finally:
        cluster.down()


def time_first_built(directory: Path, runs: int) -> list[float]:
    """Jobs that each have to build the environment of their image."""
    environments = directory / "environments"
    os.environ |= {"CLARY_ENVIRONMENTS": str(environments), "UV_CACHE_DIR": str(default_cache() / "uv")}
    platform = Platform(directory / "state").up()
    try:
        sagemaker = platform.client("sagemaker")
        upload(platform.client("s3"))
        times = []
        for number in range(runs):
            shutil.rmtree(environments, ignore_errors=True)
            times.append(time_job(sagemaker, f"job-{number}"))
        return times
    finally:
        platform.down()


def add_row(table: Table, name: str, times: list[float], bare: float) -> None:
    added = statistics.median(times) - bare
    table.add_row(
        name,
        f"{statistics.median(times):.3f}",
        f"{max(times):.3f}",
        f"{added:.3f}" if added else "",
        f"{added / GOAL:.2f}" if added else "",
    )


def main(runs: int) -> None:
    table = Table("", "median s", "worst s", "added s", f"added / goal of {GOAL} s")
    table.title = f"A training job's wall time over its script's, {runs} runs each, {os.cpu_count()} cores"
    with tempfile.TemporaryDirectory() as directory:
        script = Path(directory, "train.py")
        script.write_text(SCRIPT)
        alone = time_bare(script, runs)
        bare = statistics.median(alone)
        add_row(table, "python script.py", alone, bare)
        add_row(table, "Clary training job", time_clary(Path(directory, "state"), runs), bare)
        built = time_first_built(Path(directory, "first"), min(runs, 5))
        add_row(table, "Clary training job, image first built", built, bare)
        on_ray = time_on_ray(Path(directory, "ray"), runs)
        add_row(table, "Clary training job on Ray", on_ray, bare)
        try:
            alone_on_ray = measurements("ray_jobs", str(script), str(runs))
            add_row(table, "Ray job", alone_on_ray, bare)
            ratio = (statistics.median(on_ray) - bare) / (statistics.median(alone_on_ray) - bare)
            table.caption = f"On Ray, a Clary job adds {ratio:.2f} times what a Ray job does."
        except NoPeer as why:
            table.add_row("Ray job", str(why))
    Console().print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
