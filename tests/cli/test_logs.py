"""`clary status` and `clary logs` on real training jobs."""

import json
import signal

from tests.cli.conftest import Clary
from tests.platform import Platform
from tests.programs import training_request
from tests.services.sagemaker.hosting.test_endpoints import INFERENCE, Endpoint

LINES = [f"line {number}" for number in range(200)]
SUCCEEDS = "for number in range(200): print('line', number)"
FAILS = "print('before')\nraise ValueError('no such column: age')"


def train(platform: Platform, script: str) -> str:
    """Create a training job that runs `script`; returns its name."""
    request = training_request(platform, script)
    platform.client("sagemaker").create_training_job(**request)
    return str(request["TrainingJobName"])


def test_following_ends_with_the_job(running: Clary, platform: Platform) -> None:
    name = train(platform, SUCCEEDS)
    followed = running("logs", name, "-f")
    assert followed.returncode == 0, followed.stderr
    assert [line for line in followed.stdout.splitlines() if line.startswith("line ")] == LINES
    assert f"{name}: Completed" in followed.stderr
    assert running("logs", name).stdout == followed.stdout


def test_a_failed_job_says_why(running: Clary, platform: Platform) -> None:
    name = train(platform, FAILS)
    followed = running("logs", name, "--follow")
    assert followed.returncode == 1
    assert "before" in followed.stdout.splitlines()
    assert f"clary: Training job {name} failed." in followed.stderr
    assert "no such column: age" in followed.stderr


def test_status_shows_the_latest_jobs(running: Clary, platform: Platform) -> None:
    name = train(platform, SUCCEEDS)
    running("logs", name, "-f")
    report = json.loads(running("status", "--json").stdout)
    statuses = {job["TrainingJobName"]: job["TrainingJobStatus"] for job in report["training_jobs"]["latest"]}
    assert statuses[name] == "Completed"
    assert report["training_jobs"]["completed"] >= 1
    shown = running("status").stdout
    assert f"is up at {report['url']}" in shown
    assert any(row.split()[:2] == [name, "Completed"] for row in shown.splitlines())


def test_status_tells_of_other_kinds_of_jobs_where_there_are_any(running: Clary, platform: Platform) -> None:
    assert "Processing jobs" not in running("status").stdout
    platform.client("sagemaker").create_processing_job(
        ProcessingJobName="sorted",
        RoleArn="arn:aws:iam::123456789012:role/Processing",
        AppSpecification={"ImageUri": "sagemaker-scikit-learn:1.2-1", "ContainerEntrypoint": ["true"]},
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1},
        },
    )
    shown = running("status").stdout
    assert "Processing jobs: 1 in progress" in shown or "Processing jobs: 1 completed" in shown
    assert any(row.split()[:1] == ["sorted"] for row in shown.splitlines())


def test_an_endpoint_is_followed_until_ctrl_c(running: Clary, platform: Platform) -> None:
    endpoint = Endpoint(platform)
    script = f"print('the model is being loaded', flush=True)\n{INFERENCE}"
    endpoint.create(endpoint.config(("AllTraffic", endpoint.model("hello", script), 1.0)))
    with running.start("logs", endpoint.name, "-f") as process:
        assert process.stdout is not None
        assert any("the model is being loaded" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    listed = json.loads(running("status", "--json").stdout)["endpoints"]["latest"]
    assert {"EndpointName": endpoint.name, "EndpointStatus": "InService"}.items() <= listed[0].items()
    endpoint.delete()


def test_a_name_that_nothing_has(running: Clary) -> None:
    missing = running("logs", "nothing")
    assert missing.returncode == 1
    assert missing.stderr == "clary: There is no training job or endpoint named nothing in us-east-1.\n"
    assert running("logs", "nothing", "--endpoint").stderr.startswith("clary: There is no endpoint named nothing")
