"""RetryStrategy: what becomes of a training job whose instance is lost."""

import os
import signal
from typing import Any

import pytest

from clary.engines import locks
from tests.platform import Platform
from tests.programs import BUCKET, ended, log_lines, training_request, unique, wait_until
from tests.services.sagemaker.training.test_clusters import TWO, streams

ONCE = """
import boto3, os, sys, time
s3, key = boto3.client("s3"), "{marker}-" + os.environ["SM_CURRENT_HOST"]
if s3.list_objects_v2(Bucket="{bucket}", Prefix=key)["KeyCount"]:
    print("finished", flush=True)
    sys.exit()
s3.put_object(Bucket="{bucket}", Key=key, Body=b"")
print("waiting", flush=True)
time.sleep(600)
"""


def agents(platform: Platform) -> dict[str, int]:
    """Process ids of the agents that run, by their instances' ids."""
    found = sorted((platform.state / "instances").glob("*/agent.lock"))
    # It is held before the number is written.
    told = {lock.parent.name: lock.read_text() for lock in found if locks.is_held(str(lock))}
    return {name: int(pid) for name, pid in told.items() if pid}


def lose_one(platform: Platform, name: str) -> None:
    """Kill the agent of the job's second instance, once both run."""
    wait_until(lambda: waiting(platform, name) == 2)
    [pid] = [pid for instance_id, pid in agents(platform).items() if instance_id.endswith("-2")]
    os.kill(pid, signal.SIGKILL)


def waiting(platform: Platform, name: str) -> int:
    logs = platform.client("logs")
    groups = logs.describe_log_groups()["logGroups"]
    return log_lines(platform, name).count("waiting") if groups else 0


def start(platform: Platform, **changes: Any) -> str:
    request = training_request(platform, ONCE.format(marker=unique("marker"), bucket=BUCKET), **changes)
    platform.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


@pytest.mark.parametrize("killed", [False, True], ids=["platform-lives", "platform-is-killed"])
def test_a_job_that_lost_an_instance_is_tried_again(own_platform: Platform, killed: bool) -> None:
    name = start(own_platform, ResourceConfig=TWO, RetryStrategy={"MaximumRetryAttempts": 1})
    lose_one(own_platform, name)
    if killed:
        own_platform.kill()
        own_platform.up()
    job = ended(own_platform, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["RetryStrategy"] == {"MaximumRetryAttempts": 1}
    passed = [transition["Status"] for transition in job["SecondaryStatusTransitions"]]
    assert passed.count("Restarting") == 1
    assert passed[-2:] == ["Uploading", "Completed"]
    assert streams(own_platform, name) == ["algo-1", "algo-1", "algo-2", "algo-2"]
    assert log_lines(own_platform, name).count("finished") == 2
    wait_until(lambda: not agents(own_platform))


def test_without_a_retry_it_fails_within_seconds(own_platform: Platform) -> None:
    name = start(own_platform, ResourceConfig=TWO)
    lose_one(own_platform, name)
    job = wait_until(lambda: failed(own_platform, name), seconds=15)
    assert job["FailureReason"].startswith(
        "InternalServerError: We encountered an internal error. Please try again. algo-2: "
    )
    wait_until(lambda: not agents(own_platform))


def failed(platform: Platform, name: str) -> dict[str, Any] | None:
    job: dict[str, Any] = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    return job if job["TrainingJobStatus"] == "Failed" else None
