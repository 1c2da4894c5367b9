"""Training jobs for which there is no room yet: they are Pending, and then they are not."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clary.instance.spec import InstanceStatus
from clary.services.sagemaker.jobs.pending import patience
from tests.platform import Platform
from tests.programs import ended, log_lines, training_request, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

STATUS = [sys.executable, "-m", "clary.cli", "status", "--state"]
WAITS = "import time\nprint('waiting', flush=True)\ntime.sleep(600)"
TWO_OF_FIVE = "vcpus=5,memory=1TiB"
"""Room for two instances of two vCPUs, and one left over."""
DAY = 24 * 3600.0
LARGE = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setenv("CLARY_CAPACITY", TWO_OF_FIVE)
    started = Platform(tmp_path / "state", "--no-oversubscribe").up()
    yield started
    started.down()


def create(platform: Platform, script: str, **changes: Any) -> str:
    request = training_request(platform, script, **{"ResourceConfig": LARGE, **changes})
    platform.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def describe(platform: Platform, name: str) -> dict[str, Any]:
    job: dict[str, Any] = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    return job


def is_at(platform: Platform, name: str, secondary: str) -> bool:
    return bool(describe(platform, name)["SecondaryStatus"] == secondary)


def fill(platform: Platform) -> list[str]:
    names = [create(platform, WAITS) for _ in range(2)]
    for name in names:
        wait_until(lambda name=name: is_at(platform, name, "Training"))
    return names


def test_a_job_is_pending_until_there_is_room(small: Platform) -> None:
    first, _ = fill(small)
    name = create(small, "print('ran', flush=True)")
    wait_until(lambda: is_at(small, name, "Pending"))
    job = describe(small, name)
    assert job["TrainingJobStatus"] == "InProgress"
    told = job["SecondaryStatusTransitions"][-1]
    assert told["StatusMessage"] == "The training job is waiting for compute capacity"
    assert "TrainingStartTime" not in job
    small.client("sagemaker").stop_training_job(TrainingJobName=first)
    job = ended(small, name)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    passages = [each["Status"] for each in job["SecondaryStatusTransitions"]]
    assert passages == ["Starting", "Pending", "Starting", "Downloading", "Training", "Uploading", "Completed"]
    times = [each["StartTime"] for each in job["SecondaryStatusTransitions"]]
    assert times == sorted(times)
    assert log_lines(small, name).count("ran") == 1


def test_a_pending_job_can_be_stopped(small: Platform) -> None:
    fill(small)
    name = create(small, WAITS)
    wait_until(lambda: is_at(small, name, "Pending"))
    small.client("sagemaker").stop_training_job(TrainingJobName=name)
    job = ended(small, name)
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert "ModelArtifacts" not in job
    assert list((small.state / "instances" / "line").glob("[0-9]*")) == []


def test_a_kill_amid_waiting_loses_nobody_and_keeps_the_order(small: Platform) -> None:
    full = fill(small)
    names = [create(small, "print('ran', flush=True)") for _ in range(4)]
    wait_until(lambda: all(is_at(small, name, "Pending") for name in names))
    small.kill()
    small.up()
    assert all(is_at(small, name, "Pending") for name in names)
    small.client("sagemaker").stop_training_job(TrainingJobName=full[0])
    jobs = [ended(small, name) for name in names]
    assert {job["TrainingJobStatus"] for job in jobs} == {"Completed"}
    starts = [job["TrainingStartTime"] for job in jobs]
    assert starts == sorted(starts)
    assert all(log_lines(small, name).count("ran") == 1 for name in names)


def test_a_job_that_can_never_fit_fails_in_awss_words(small: Platform) -> None:
    name = create(small, WAITS, ResourceConfig={**LARGE, "InstanceCount": 3})
    job = ended(small, name)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(
        "CapacityError: Unable to provision requested ML compute capacity. "
        "Please retry using a different ML instance type."
    )


def test_an_endpoint_in_line_is_creating_and_the_command_line_tells_who_waits(small: Platform) -> None:
    first, _ = fill(small)
    endpoint = Endpoint(small)
    config = endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0))
    small.client("sagemaker").create_endpoint(EndpointName=endpoint.name, EndpointConfigName=config)
    wait_until(lambda: status(small)["capacity"]["waiting"] == 1)
    told = status(small)["capacity"]
    assert [(each["kind"], each["name"]) for each in told["first"]] == [("endpoint", endpoint.name)]
    [place] = told["places"]
    assert (place["total"]["vcpus"], place["taken"]["vcpus"]) == (5, 4)
    shown = subprocess.run([*STATUS, str(small.state)], check=True, capture_output=True, text=True).stdout
    assert "4 of 5 vCPUs, 16 of 1024 GiB taken" in shown
    assert f"1. endpoint {endpoint.name}, since" in shown
    assert small.client("sagemaker").describe_endpoint(EndpointName=endpoint.name)["EndpointStatus"] == "Creating"
    small.client("sagemaker").stop_training_job(TrainingJobName=first)
    assert endpoint.settled()["EndpointStatus"] == "InService"


def test_an_endpoint_that_can_never_fit_fails_at_once(small: Platform) -> None:
    endpoint = Endpoint(small)
    config = endpoint.config(("AllTraffic", endpoint.model("hello"), 1.0))
    variant = small.client("sagemaker").describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    large = {**variant, "InstanceType": "ml.m5.24xlarge"}
    small.client("sagemaker").create_endpoint_config(EndpointConfigName="large", ProductionVariants=[large])
    told = endpoint.create("large")
    assert told["EndpointStatus"] == "Failed"
    assert told["FailureReason"].startswith("CapacityError: Unable to provision requested ML compute capacity.")


def status(platform: Platform) -> dict[str, Any]:
    printed = subprocess.run([*STATUS, str(platform.state), "--json"], check=True, capture_output=True, text=True)
    told: dict[str, Any] = json.loads(printed.stdout)
    return told


@pytest.mark.parametrize(
    ("instance_type", "left"), [("ml.g5.xlarge", True), ("ml.p4d.24xlarge", True), ("ml.m5.large", False)]
)
def test_max_pending_time_is_of_accelerated_instances(instance_type: str, left: bool) -> None:
    """As AWS documents it: it has no effect on jobs that request CPU-only instance types."""
    document = {
        "ResourceConfig": {"InstanceType": instance_type},
        "StoppingCondition": {"MaxPendingTimeInSeconds": 1800},
    }
    an_hour_ago = InstanceStatus("Pending", {"Pending": time.time() - 3600})
    assert (patience(document, an_hour_ago) < 0) is left


def test_nobody_waits_for_longer_than_what_an_instance_is_given_holds() -> None:
    document = {"ResourceConfig": {"InstanceType": "ml.m5.large"}, "StoppingCondition": {}}
    waiting = InstanceStatus("Pending", {"Pending": time.time() - 27 * DAY})
    assert 0 < patience(document, waiting) <= DAY
    waiting.entered["Pending"] -= 2 * DAY
    assert patience(document, waiting) < 0
