"""Managed spot training: interrupted by `clary interrupt`, and gone on with from a checkpoint."""

import subprocess
import sys
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ended, log_lines, stored, training_request, unique, wait_until

COUNTS = """
import pathlib, signal, sys, time
path = pathlib.Path("/opt/ml/checkpoints/count")
count = int(path.read_text()) if path.exists() else 0
print("starts at", count, flush=True)
def leave(*_):
    path.write_text(str(count + 1))
    sys.exit(1)
signal.signal(signal.SIGTERM, leave)
print("ready", count, flush=True)
time.sleep(600 if count < 2 else 0)
pathlib.Path("/opt/ml/model/count").write_text(str(count))
"""


def start(platform: Platform, script: str = COUNTS, longest: int = 600, **changes: Any) -> str:
    condition = {"MaxRuntimeInSeconds": min(600, longest), "MaxWaitTimeInSeconds": longest}
    request = training_request(
        platform, script, EnableManagedSpotTraining=True, **{"StoppingCondition": condition, **changes}
    )
    platform.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def interrupt(platform: Platform, name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clary.cli", "interrupt", name, "--state", str(platform.state)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def has_printed(platform: Platform, name: str, line: str) -> bool:
    with suppress(platform.client("logs").exceptions.ResourceNotFoundException):
        return line in log_lines(platform, name)
    return False


@pytest.mark.parametrize("killed", [False, True], ids=["platform-lives", "platform-is-killed"])
def test_an_interrupted_job_goes_on_from_its_checkpoint(own_platform: Platform, killed: bool) -> None:
    platform, prefix = own_platform, unique("spot")
    name = start(platform, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/{prefix}"})
    for count in range(2):
        wait_until(lambda count=count: has_printed(platform, name, f"ready {count}"))
        done = interrupt(platform, name)
        assert done.returncode == 0, done.stderr
        if killed:
            platform.kill()
            platform.up()
    job = ended(platform, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    passed = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    again = ["Starting", "Downloading", "Training"]
    assert passed == [*again, "Interrupted", *again, "Interrupted", *again, "Uploading", "Completed"]
    starts = [line for line in log_lines(platform, name) if line.startswith("starts")]
    assert starts == ["starts at 0", "starts at 1", "starts at 2"]
    assert stored(platform, f"{prefix}/") == {"count": "2"}
    assert 1 <= job["BillableTimeInSeconds"] <= job["TrainingTimeInSeconds"]
    assert "model.tar.gz" in job["ModelArtifacts"]["S3ModelArtifacts"]


def test_a_job_that_takes_too_long_ends_as_such(platform: Platform) -> None:
    # It begins to run later than it begins to wait.
    name = start(platform, "import time; time.sleep(600)", longest=4)
    job = ended(platform, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxWaitTimeExceeded")


def test_an_interrupted_job_can_be_stopped(platform: Platform) -> None:
    script = """
import signal, sys, time
def leave(*_):
    time.sleep(2)
    sys.exit()
signal.signal(signal.SIGTERM, leave)
print("ready 0", flush=True)
time.sleep(600)
"""
    name = start(platform, script)
    wait_until(lambda: has_printed(platform, name, "ready 0"))
    assert interrupt(platform, name).returncode == 0
    sagemaker = platform.client("sagemaker")
    assert sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] == "Interrupted"
    sagemaker.stop_training_job(TrainingJobName=name)
    assert ended(platform, name)["SecondaryStatus"] == "Stopped"


def test_what_cannot_be_interrupted_says_so(platform: Platform) -> None:
    request = training_request(platform, "import time; time.sleep(60)")
    name = request["TrainingJobName"]
    platform.client("sagemaker").create_training_job(**request)
    refused = interrupt(platform, name)
    assert (refused.returncode, "does not use managed spot training" in refused.stderr) == (1, True), refused.stderr
    platform.client("sagemaker").stop_training_job(TrainingJobName=name)
    assert "Requested resource not found" in interrupt(platform, "no-such-job").stderr
    done = start(platform, "")
    ended(platform, done)
    assert "only one that is Downloading or Training" in interrupt(platform, done).stderr.replace("\n", " ")


@pytest.mark.parametrize(
    ("spot", "condition", "message"),
    [
        (True, {"MaxRuntimeInSeconds": 60}, "It must be present and be greater than or equal to MaxRuntimeInSeconds"),
        (True, {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 59}, "greater than or equal to"),
        (False, {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60}, "It is only supported when"),
    ],
)
def test_the_wait_must_make_sense(platform: Platform, spot: bool, condition: dict[str, int], message: str) -> None:
    request = training_request(platform, "", EnableManagedSpotTraining=spot, StoppingCondition=condition)
    with pytest.raises(ClientError, match=message):
        platform.client("sagemaker").create_training_job(**request)
