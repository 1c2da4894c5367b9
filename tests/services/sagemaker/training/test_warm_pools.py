"""Managed warm pools: what a training job leaves, a job that is alike begins with, and nobody else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ended, log_lines, put, training_request, wait_until

RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1, "KeepAlivePeriodInSeconds": 600}
OTHER = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 2}
SCRIPT = """
import os
path = os.path.join(os.environ["SAGEMAKER_MANAGED_WARMPOOL_CACHE_DIRECTORY"], "seen")
print("cached", open(path).read() if os.path.exists(path) else "nothing", flush=True)
open(path, "w").write("something")
print("data", open("/opt/ml/input/data/train/a.csv").read(), flush=True)
"""


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    """Room for one instance."""
    monkeypatch.setenv("CLARY_CAPACITY", "vcpus=2,memory=1TiB")
    started = Platform(tmp_path / "state", "--no-oversubscribe").up()
    yield started
    started.down()


def create(platform: Platform, script: str = SCRIPT, **changes: Any) -> str:
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/warm/"}
    channels = [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}]
    request = training_request(
        platform, script, **{"ResourceConfig": RESOURCES, "InputDataConfig": channels, **changes}
    )
    platform.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def pool(platform: Platform, name: str) -> dict[str, Any]:
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    found: dict[str, Any] = described.get("WarmPoolStatus", {})
    return found


def is_pending(platform: Platform, name: str) -> bool:
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    return bool(described["SecondaryStatus"] == "Pending")


def test_a_pool_goes_from_job_to_job(full: Platform) -> None:
    sagemaker = full.client("sagemaker")
    put(full, "warm/a.csv", "1,2,3")
    first = create(full)
    assert ended(full, first)["TrainingJobStatus"] == "Completed"
    assert "cached nothing" in log_lines(full, first)
    assert pool(full, first)["Status"] == "Available"

    # A job that is not alike has no room while the pool keeps it; nor is the pool lost with the platform.
    other = create(full, "print('ran', flush=True)", ResourceConfig=OTHER)
    wait_until(lambda: is_pending(full, other))
    full.kill()
    full.up()
    sagemaker = full.client("sagemaker")
    listed = sagemaker.list_training_jobs(WarmPoolStatusEquals="Available")["TrainingJobSummaries"]
    assert [job["TrainingJobName"] for job in listed] == [first]
    with pytest.raises(ClientError, match="retains a warm pool"):
        sagemaker.delete_training_job(TrainingJobName=first)

    second = create(full)
    assert ended(full, second)["TrainingJobStatus"] == "Completed"
    lines = log_lines(full, second)
    assert {"cached something", "data 1,2,3"} <= set(lines)
    assert any("nothing is staged in" in line for line in lines)
    reused = pool(full, first)
    assert (reused["Status"], reused["ReusedByJob"]) == ("Reused", second)
    assert pool(full, second)["Status"] == "Available"
    assert is_pending(full, other)

    sagemaker.update_training_job(TrainingJobName=second, ResourceConfig={"KeepAlivePeriodInSeconds": 0})
    assert ended(full, other)["TrainingJobStatus"] == "Completed"
    assert pool(full, second)["Status"] == "Terminated"
    assert pool(full, second)["ResourceRetainedBillableTimeInSeconds"] >= 1
    assert pool(full, other) == {}
    assert list((full.state / "instances").glob("*/agent.lock")) == []


def test_what_pools_and_updates_refuse(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    put(platform, "warm/a.csv", "1,2,3")
    with pytest.raises(ClientError, match="EnableManagedSpotTraining"):
        create(
            platform,
            EnableManagedSpotTraining=True,
            StoppingCondition={"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
        )
    # A job that fails of itself leaves a pool, one for which nothing could be started does not.
    failed = create(platform, "raise SystemExit(1)")
    assert ended(platform, failed)["TrainingJobStatus"] == "Failed"
    assert pool(platform, failed)["Status"] == "Available"
    sagemaker.update_training_job(TrainingJobName=failed, ResourceConfig={"KeepAlivePeriodInSeconds": 1})
    wait_until(lambda: pool(platform, failed)["Status"] == "Terminated")
    with pytest.raises(ClientError, match="no warm pool that is Available"):
        sagemaker.update_training_job(TrainingJobName=failed, ResourceConfig={"KeepAlivePeriodInSeconds": 60})
    with pytest.raises(ClientError, match="it has ended"):
        sagemaker.update_training_job(TrainingJobName=failed, ProfilerConfig={"DisableProfiler": True})
    with pytest.raises(ClientError, match="RemoteDebugConfig is not built"):
        sagemaker.update_training_job(TrainingJobName=failed, RemoteDebugConfig={"EnableRemoteDebug": True})
    sagemaker.delete_training_job(TrainingJobName=failed)
