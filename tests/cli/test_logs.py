"""`clary status` and `clary logs` on real training jobs."""

import io
import json
import tarfile
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from tests.cli.conftest import Clary

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
BUCKET = "clary-logs-test"
LINES = [f"line {number}" for number in range(200)]
SUCCEEDS = "for number in range(200): print('line', number)\n"
FAILS = "print('before')\nraise ValueError('no such column: age')\n"


@pytest.fixture(scope="module")
def client(running: Clary) -> Callable[[str], Any]:
    """boto3 clients with what `clary env` gives them."""
    variables = json.loads(running("env", "--shell", "json").stdout)

    def make(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=variables["AWS_ENDPOINT_URL"],
            region_name=variables["AWS_DEFAULT_REGION"],
            aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        )

    make("s3").create_bucket(Bucket=BUCKET)
    return make


def train(client: Callable[[str], Any], name: str, script: str) -> None:
    """Create a training job that runs `script`."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        entry = tarfile.TarInfo("train.py")
        entry.size = len(script)
        tar.addfile(entry, io.BytesIO(script.encode()))
    client("s3").put_object(Bucket=BUCKET, Key=f"{name}/sourcedir.tar.gz", Body=archive.getvalue())
    client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/Role",
        HyperParameters={
            "sagemaker_program": '"train.py"',
            "sagemaker_submit_directory": json.dumps(f"s3://{BUCKET}/{name}/sourcedir.tar.gz"),
        },
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 300},
    )


def test_following_ends_with_the_job(running: Clary, client: Callable[[str], Any]) -> None:
    train(client, "succeeds", SUCCEEDS)
    followed = running("logs", "succeeds", "-f")
    assert followed.returncode == 0, followed.stderr
    assert [line for line in followed.stdout.splitlines() if line.startswith("line ")] == LINES
    assert "succeeds: Completed" in followed.stderr
    assert running("logs", "succeeds").stdout == followed.stdout


def test_a_failed_job_says_why(running: Clary, client: Callable[[str], Any]) -> None:
    train(client, "fails", FAILS)
    followed = running("logs", "fails", "--follow")
    assert followed.returncode == 1
    assert "before" in followed.stdout.splitlines()
    assert "clary: Training job fails failed." in followed.stderr
    assert "no such column: age" in followed.stderr


def test_status_shows_the_jobs(running: Clary, client: Callable[[str], Any]) -> None:
    train(client, "shown", SUCCEEDS)
    running("logs", "shown", "-f")
    report = json.loads(running("status", "--json").stdout)
    latest = report["training_jobs"]["latest"][0]
    assert (latest["TrainingJobName"], latest["TrainingJobStatus"]) == ("shown", "Completed")
    assert report["training_jobs"]["completed"] >= 1
    assert report["endpoints"]["latest"] == []
    shown = running("status").stdout
    assert f"is up at {report['url']}" in shown
    assert any(row.split()[:2] == ["shown", "Completed"] for row in shown.splitlines())


def test_a_name_that_nothing_has(running: Clary) -> None:
    missing = running("logs", "nothing")
    assert missing.returncode == 1
    assert missing.stderr == "clary: There is no training job or endpoint named nothing in us-east-1.\n"
    assert running("logs", "nothing", "--endpoint").stderr.startswith("clary: There is no endpoint named nothing")
