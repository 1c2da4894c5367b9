"""Checkpoints: files that are stored while a job runs, and found again by the next."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, log_lines, put, run_job, stored, training_request, unique, wait_until
from tests.services.sagemaker.training.test_clusters import TWO

WRITER = """
import os, pathlib, time
directory = pathlib.Path("{directory}")
print("found", sorted(str(p.relative_to(directory)) for p in directory.rglob("*") if p.is_file()), flush=True)
(directory / "deep").mkdir(exist_ok=True)
(directory / "deep" / "epoch-1").write_text("one")
(directory / "gone").write_text("gone")
os.symlink("/etc/passwd", directory / "link")
import boto3
s3 = boto3.client("s3")
while "gone" not in str(s3.list_objects_v2(Bucket="{bucket}", Prefix="{prefix}/").get("Contents")):
    time.sleep(0.1)
(directory / "gone").unlink()
(directory / "last").write_text("last")
"""


def config(prefix: str, **more: str) -> dict[str, str]:
    return {"S3Uri": f"s3://{BUCKET}/{prefix}", **more}


def writer(prefix: str, directory: str = "/opt/ml/checkpoints") -> str:
    return WRITER.format(directory=directory, bucket=BUCKET, prefix=prefix)


@pytest.mark.parametrize("directory", ["/opt/ml/checkpoints", "/opt/ml/model/kept"])
def test_files_are_stored_while_the_program_runs_and_found_by_the_next_job(platform: Platform, directory: str) -> None:
    prefix = unique("checkpoints")
    put(platform, f"{prefix}-other/file", "of another prefix")
    path = {} if directory == "/opt/ml/checkpoints" else {"LocalPath": f"{directory}/"}
    for found in ("[]", "['deep/epoch-1', 'gone', 'last']"):
        # The program ends only once it has found in S3 what it wrote.
        job = run_job(platform, writer(prefix, directory), CheckpointConfig=config(prefix, **path))
        assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
        assert job["CheckpointConfig"] == config(prefix, **path)
        assert f"found {found}" in log_lines(platform, job["TrainingJobName"])
        assert stored(platform, f"{prefix}/") == {"deep/epoch-1": "one", "gone": "gone", "last": "last"}


def test_a_failed_job_keeps_them_and_only_what_changed_is_stored_again(platform: Platform) -> None:
    prefix = unique("checkpoints")
    put(platform, f"{prefix}/old", "old")
    before = modified(platform, f"{prefix}/old")
    script = """
import pathlib, sys
directory = pathlib.Path("/opt/ml/checkpoints")
assert (directory / "old").read_text() == "old"
(directory / "new").write_text("new")
sys.exit(3)
"""
    job = run_job(platform, script, CheckpointConfig=config(prefix))
    assert job["TrainingJobStatus"] == "Failed"
    assert stored(platform, f"{prefix}/") == {"old": "old", "new": "new"}
    assert modified(platform, f"{prefix}/old") == before


def modified(platform: Platform, key: str) -> Any:
    return platform.client("s3").head_object(Bucket=BUCKET, Key=key)["LastModified"]


def test_a_job_that_is_stopped_keeps_what_it_wrote_last(platform: Platform) -> None:
    prefix = unique("checkpoints")
    script = """
import pathlib, signal, sys, time
def end(*_):
    pathlib.Path("/opt/ml/checkpoints/at-the-end").write_text("x" * 100000)
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(600)
"""
    sagemaker = platform.client("sagemaker")
    request = training_request(platform, script, CheckpointConfig=config(prefix))
    name = request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    wait_until(lambda: "ready" in log_lines(platform, name))
    sagemaker.stop_training_job(TrainingJobName=name)
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["TrainingJobStatus"] == "Stopped")
    assert stored(platform, f"{prefix}/") == {"at-the-end": "x" * 100000}


def test_instances_share_one_place(platform: Platform) -> None:
    prefix = unique("checkpoints")
    script = """
import os, pathlib
directory = pathlib.Path("/opt/ml/checkpoints")
print("found", sorted(os.listdir(directory)), flush=True)
(directory / os.environ["SM_CURRENT_HOST"]).write_text("mine")
"""
    run_job(platform, script, CheckpointConfig=config(prefix), ResourceConfig=TWO)
    job = run_job(platform, script, CheckpointConfig=config(prefix), ResourceConfig=TWO)
    lines = log_lines(platform, job["TrainingJobName"])
    assert lines.count("found ['algo-1', 'algo-2']") == 2


def test_a_bucket_that_is_not_there_fails_the_job(platform: Platform) -> None:
    job = run_job(platform, "", CheckpointConfig={"S3Uri": "s3://no-such-bucket-here/a"})
    expected = 'ClientError: The bucket "no-such-bucket-here" of s3://no-such-bucket-here/a/ does not exist.'
    assert job["FailureReason"] == expected


@pytest.mark.parametrize("path", ["/tmp/checkpoints", "/opt/ml", "/opt/ml/input/data/train", "/opt/ml/a/../../b"])
def test_a_local_path_elsewhere_is_refused(platform: Platform, path: str) -> None:
    request = training_request(platform, "", CheckpointConfig=config("a", LocalPath=path))
    with pytest.raises(ClientError, match="LocalPath of CheckpointConfig"):
        platform.client("sagemaker").create_training_job(**request)
