"""What tests run in jobs: small programs, packed as the SDK packs them, and requests that run them."""

import io
import json
import tarfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

from tests.platform import Platform

SKLEARN = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
XGBOOST = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
BUCKET = "sagemaker-us-east-1-123456789012"
PATIENCE = 60.0


def unique(prefix: str) -> str:
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


def tar_gz(files: dict[str, bytes | str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def put(platform: Platform, key: str, body: bytes | str) -> str:
    """Store an object in the default bucket; returns its URI."""
    s3 = platform.client("s3")
    if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key=key, Body=body)
    return f"s3://{BUCKET}/{key}"


def stored(platform: Platform, prefix: str) -> dict[str, str]:
    """What is in the default bucket below `prefix`."""
    s3 = platform.client("s3")
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
    return {
        item["Key"].removeprefix(prefix): s3.get_object(Bucket=BUCKET, Key=item["Key"])["Body"].read().decode()
        for item in found
    }


def post(url: str, fields: dict[str, str], content: bytes) -> int:
    """The status that a form with a file is answered with."""
    parts = [f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{fields[name]}\r\n' for name in fields]
    parts.append('--edge\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n')
    body = "".join(parts).encode() + content + b"\r\n--edge--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=edge"}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def training_request(platform: Platform, script: str, **changes: Any) -> dict[str, Any]:
    """A CreateTrainingJob request that runs `script` in the scikit-learn image."""
    name = unique("job")
    source = put(platform, f"{name}/source/sourcedir.tar.gz", tar_gz({"train.py": script}))
    request = {
        "TrainingJobName": name,
        "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {
            "sagemaker_program": json.dumps("train.py"),
            "sagemaker_submit_directory": json.dumps(source),
        },
    }
    hyperparameters = {**request["HyperParameters"], **changes.pop("HyperParameters", {})}  # type: ignore[dict-item]
    return {**request, **changes, "HyperParameters": hyperparameters}


def wait_until(look: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """The first truthy answer of `look`, asked again and again."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"not within {seconds} s; last seen: {seen!r}"
        time.sleep(0.05)


def ended(platform: Platform, name: str, seconds: float = PATIENCE) -> dict[str, Any]:
    """The description of a training job once it has ended."""
    sagemaker = platform.client("sagemaker")

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_training_job(TrainingJobName=name)
        return job if job["TrainingJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_until(look, seconds)
    return job


def run_job(platform: Platform, script: str, **changes: Any) -> dict[str, Any]:
    request = training_request(platform, script, **changes)
    platform.client("sagemaker").create_training_job(**request)
    return ended(platform, request["TrainingJobName"])


def log_lines(platform: Platform, job: str, group: str = "/aws/sagemaker/TrainingJobs") -> list[str]:
    logs = platform.client("logs")
    streams = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=f"{job}/")["logStreams"]
    lines: list[str] = []
    for stream in streams:
        token: dict[str, str] = {}
        while True:
            page = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], startFromHead=True, **token
            )
            if not page["events"]:
                break
            lines.extend(event["message"] for event in page["events"])
            token = {"nextToken": page["nextForwardToken"]}
    return lines
