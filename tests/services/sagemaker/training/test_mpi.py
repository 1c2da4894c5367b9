"""Scripts that Open MPI runs on several instances, which reach each other in networks of their own."""

import shutil
from typing import Any

import pytest

from tests.platform import Platform
from tests.programs import ended, log_lines, put, tar_gz, training_request
from tests.services.sagemaker.training.test_clusters import TWO

pytestmark = pytest.mark.skipif(shutil.which("mpirun") is None, reason="there is no Open MPI here")

ASKED = {
    "sagemaker_mpi_enabled": "true",
    "sagemaker_mpi_num_of_processes_per_host": "2",
    "sagemaker_mpi_custom_mpi_options": '"-x GREETING=hello"',
}
SUMS = """
import os
from mpi4py import MPI

world = MPI.COMM_WORLD
total = world.allreduce(world.rank + 1)
places = world.gather((world.rank, os.environ["SM_CURRENT_HOST"]))
assert os.environ["GREETING"] == "hello"
if world.rank == 0:
    print("sum", total, "places", places, flush=True)
world.Barrier()
if total == 10 and "fail" in os.environ.get("SM_HPS", "") and world.rank == 3:
    raise ValueError("rank 3 has no more rows")
world.Barrier()
"""


def run(platform: Platform, **hyperparameters: str) -> dict[str, Any]:
    request = training_request(platform, SUMS, ResourceConfig=TWO, HyperParameters={**ASKED, **hyperparameters})
    files = {"train.py": SUMS, "requirements.txt": "mpi4py==4.1.2\n"}
    put(platform, f"{request['TrainingJobName']}/source/sourcedir.tar.gz", tar_gz(files))
    platform.client("sagemaker").create_training_job(**request)
    return ended(platform, request["TrainingJobName"], 120)


def test_processes_of_two_instances_add_up(platform: Platform) -> None:
    job = run(platform)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    places = [(0, "algo-1"), (1, "algo-1"), (2, "algo-2"), (3, "algo-2")]
    assert f"sum 10 places {places}" in log_lines(platform, job["TrainingJobName"])


def test_one_process_that_fails_ends_all(platform: Platform) -> None:
    job = run(platform, mode="fail")
    assert job["TrainingJobStatus"] == "Failed"
    assert "ValueError: rank 3 has no more rows" in job["FailureReason"]
