"""Processing jobs that wait, lose an instance, or bring an image of their own."""

import os
import signal
from pathlib import Path

import pytest

from tests.engines.capability import sandbox_works
from tests.oci_images import build, busybox_layer, push
from tests.platform import Platform
from tests.programs import log_lines, unique, wait_until
from tests.services.sagemaker.processing.test_processing_jobs import GROUP, asked, ended, has_printed, run

WAITS = "import time; print('waiting', flush=True); time.sleep(600)"


def test_a_job_waits_in_line_until_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLARY_CAPACITY", "vcpus=3,memory=1TiB")
    small = Platform(tmp_path / "state", "--no-oversubscribe").up()
    try:
        sagemaker = small.client("sagemaker")
        first, second = asked(small, WAITS), asked(small, "print('ran', flush=True)")
        sagemaker.create_processing_job(**first)
        wait_until(lambda: has_printed(small, first["ProcessingJobName"], "waiting"))
        name = second["ProcessingJobName"]
        sagemaker.create_processing_job(**second)
        wait_until(lambda: list((small.state / "instances/line").glob("[0-9]*")))
        small.kill()
        small.up()
        job = small.client("sagemaker").describe_processing_job(ProcessingJobName=name)
        assert job["ProcessingJobStatus"] == "InProgress"
        assert "ProcessingStartTime" not in job
        small.client("sagemaker").stop_processing_job(ProcessingJobName=first["ProcessingJobName"])
        job = ended(small, name)
        assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
        assert log_lines(small, name, GROUP).count("ran") == 1
        assert "KeyError" not in (small.state / "platform.log").read_text()
    finally:
        small.down()


def test_a_lost_instance_is_an_internal_error(platform: Platform) -> None:
    request = asked(platform, WAITS)
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    name = request["ProcessingJobName"]
    before = agents(platform)
    platform.client("sagemaker").create_processing_job(**request)
    wait_until(lambda: has_printed(platform, name, "waiting"))
    (lost,) = (path for path in agents(platform) - before if path.parent.name.endswith("-2"))
    os.kill(int(lost.read_text()), signal.SIGKILL)
    job = ended(platform, name)
    assert job["ProcessingJobStatus"] == "Failed"
    sorry = "InternalServerError: We encountered an internal error. Please try again. algo-2: "
    assert job["FailureReason"].startswith(sorry)


def agents(platform: Platform) -> set[Path]:
    return set((platform.state / "instances").glob("*/agent.lock"))


@pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")
def test_an_own_image_runs_its_entrypoint(platform: Platform, tmp_path: Path) -> None:
    built = build(
        tmp_path / "own",
        [busybox_layer()],
        Entrypoint=["/bin/sh", "-c", 'echo "entered with $*"', "sh"],
        Cmd=["its", "own"],
    )
    uri = push(platform, built, unique("own"), "1")
    for given, printed in (({}, "its own"), ({"ContainerArguments": ["given"]}, "given")):
        job = run(platform, asked(platform, "", AppSpecification={"ImageUri": uri, **given}))
        assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
        assert f"entered with {printed}" in log_lines(platform, job["ProcessingJobName"], GROUP)
