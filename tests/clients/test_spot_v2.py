"""Version 2 of the SageMaker SDK: a managed spot job with a checkpoint, interrupted while it is waited for."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.clients.programs import EXAMPLES, client_program
from tests.platform import Platform
from tests.programs import log_lines, wait_until

pytestmark = pytest.mark.clients


def running(platform: Platform) -> str:
    """The job's name once a checkpoint is stored; empty before."""
    jobs = platform.client("sagemaker").list_training_jobs(NameContains="spot-counting")["TrainingJobSummaries"]
    if not jobs:
        return ""
    name: str = jobs[0]["TrainingJobName"]
    s3 = platform.client("s3")
    key = f"spot-counting/{name}/checkpoints/"
    found = s3.list_objects_v2(Bucket="sagemaker-us-east-1-123456789012", Prefix=key).get("Contents", [])
    return name if found else ""


def test_it_goes_on_from_its_checkpoint(platform: Platform, tmp_path: Path) -> None:
    command = [client_program("v2", "python"), str(EXAMPLES / "spot_v2" / "train.py")]
    with open(tmp_path / "printed", "w+") as printed:
        program = subprocess.Popen(
            command, env=platform.program_environment(), cwd=tmp_path, stdout=printed, stderr=subprocess.STDOUT
        )
        name = wait_until(lambda: running(platform), seconds=120)
        interrupt = [sys.executable, "-m", "clary.cli", "interrupt", name, "--state", str(platform.state)]
        interrupted = subprocess.run(interrupt, check=False, capture_output=True, text=True)
        assert interrupted.returncode == 0, interrupted.stderr
        assert program.wait(timeout=120) == 0, (tmp_path / "printed").read_text()[-4000:]
    said = (tmp_path / "printed").read_text()
    assert "Interrupted" in said.partition("statuses:")[2]
    began = [int(line.split()[-1]) for line in log_lines(platform, name) if line.startswith("beginning after epoch")]
    assert began[0] == 0
    assert began[-1] > 0, "it began anew"
