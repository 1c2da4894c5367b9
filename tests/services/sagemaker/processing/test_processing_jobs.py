"""Processing jobs through boto3: what they read, what they leave, and how they end."""

import gzip
from contextlib import suppress
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ROLE, SKLEARN, log_lines, put, stored, unique, wait_until

CODE = "/opt/ml/processing/input/code"
GROUP = "/aws/sagemaker/ProcessingJobs"


def asked(platform: Platform, script: str, **changes: Any) -> dict[str, Any]:
    """A CreateProcessingJob request that runs `script` in the scikit-learn image."""
    name = unique("processing")
    code = {"InputName": "code", "S3Input": read(put(platform, f"{name}/code/run.py", script), CODE)}
    inputs = [code, *changes.pop("ProcessingInputs", [])]
    return {
        "ProcessingJobName": name,
        "ProcessingInputs": inputs,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "AppSpecification": {"ImageUri": SKLEARN, "ContainerEntrypoint": ["python3", f"{CODE}/run.py"]},
        "RoleArn": ROLE,
        **changes,
    }


def read(uri: str, path: str, **more: str) -> dict[str, str]:
    return {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File", **more}


def written(uri: str, path: str, name: str = "rows", mode: str = "EndOfJob") -> dict[str, Any]:
    output = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}
    return {"Outputs": [{"OutputName": name, "S3Output": output}]}


def run(platform: Platform, request: dict[str, Any]) -> dict[str, Any]:
    sagemaker = platform.client("sagemaker")
    sagemaker.create_processing_job(**request)
    return ended(platform, request["ProcessingJobName"])


def ended(platform: Platform, name: str) -> dict[str, Any]:
    describe = platform.client("sagemaker").describe_processing_job
    wait_until(lambda: describe(ProcessingJobName=name)["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"))
    job: dict[str, Any] = describe(ProcessingJobName=name)
    return job


def has_printed(platform: Platform, name: str, line: str) -> bool:
    """A group of logs comes into being with its first line."""
    with suppress(platform.client("logs").exceptions.ResourceNotFoundException):
        return line in log_lines(platform, name, GROUP)
    return False


def test_a_job_reads_its_inputs_and_its_outputs_go_to_s3(platform: Platform) -> None:
    script = """
import json, os, pathlib, sys
print("arguments", sys.argv[1:], os.environ["COLOUR"], flush=True)
config = json.loads(pathlib.Path("/opt/ml/config/processingjobconfig.json").read_text())
assert config["ProcessingInputs"][1]["InputName"] == "data", config
resources = json.loads(pathlib.Path("/opt/ml/config/resourceconfig.json").read_text())
assert (resources["current_host"], resources["hosts"]) == ("algo-1", ["algo-1"]), resources
rows = pathlib.Path("/opt/ml/processing/input/data/rows.csv").read_text()
out = pathlib.Path("/opt/ml/processing/output")
assert out.is_dir()
(out / "deep").mkdir()
(out / "deep/upper.csv").write_text(rows.upper())
(out / "count").write_text(str(len(rows.splitlines())))
(out / "link").symlink_to("/etc/hostname")
pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/output/message").write_text("two rows, é")
"""
    base = unique("data")
    uri = put(platform, f"{base}/in/rows.csv", "a,b\nc,d\n").rsplit("/", 1)[0]
    request = asked(
        platform,
        script,
        ProcessingInputs=[{"InputName": "data", "S3Input": read(uri, "/opt/ml/processing/input/data")}],
        ProcessingOutputConfig=written(f"s3://{BUCKET}/{base}/out/", "/opt/ml/processing/output"),
        Environment={"COLOUR": "green"},
    )
    request["AppSpecification"]["ContainerArguments"] = ["--rows", "2"]
    job = run(platform, request)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ExitMessage"] == "two rows, é"
    assert job["ProcessingEndTime"] >= job["ProcessingStartTime"] >= job["CreationTime"]
    assert stored(platform, f"{base}/out/") == {"count": "2", "deep/upper.csv": "A,B\nC,D\n"}
    assert "arguments ['--rows', '2'] green" in log_lines(platform, job["ProcessingJobName"], GROUP)


def test_instances_share_the_objects_and_know_each_other(platform: Platform) -> None:
    script = """
import json, pathlib, socket
host = socket.gethostname()
config = json.loads(pathlib.Path("/opt/ml/config/resourceconfig.json").read_text())
assert (config["current_host"], config["hosts"]) == (host, ["algo-1", "algo-2"]), config
assert config["network_interface_name"] in [name for _, name in socket.if_nameindex()], config
assert all(socket.gethostbyname(name) for name in config["hosts"])
names = sorted(path.name for path in pathlib.Path("/opt/ml/processing/input/data").iterdir())
pathlib.Path(f"/opt/ml/processing/output/{host}").write_text(",".join(names))
pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/output/message").write_text(host + " ")
"""
    base = unique("data")
    for number in range(5):
        uri = put(platform, f"{base}/in/{number}", str(number)).rsplit("/", 1)[0]
    sharded = read(uri, "/opt/ml/processing/input/data", S3DataDistributionType="ShardedByS3Key")
    request = asked(
        platform,
        script,
        ProcessingInputs=[{"InputName": "data", "S3Input": sharded}],
        ProcessingOutputConfig=written(f"s3://{BUCKET}/{base}/out", "/opt/ml/processing/output"),
    )
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 2
    job = run(platform, request)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    shards = {host: names.split(",") for host, names in stored(platform, f"{base}/out/").items()}
    assert sorted(shards) == ["algo-1", "algo-2"]
    assert sorted(shards["algo-1"] + shards["algo-2"]) == ["0", "1", "2", "3", "4"]
    assert abs(len(shards["algo-1"]) - len(shards["algo-2"])) == 1
    assert sorted(job["ExitMessage"].split()) == ["algo-1", "algo-2"]


def test_a_failure_is_told_with_its_last_lines_and_message(platform: Platform) -> None:
    script = """
import pathlib
pathlib.Path("/opt/ml/output").mkdir(exist_ok=True)
pathlib.Path("/opt/ml/output/message").write_text("row 7")
raise ValueError("no such column")
"""
    job = run(platform, asked(platform, script))
    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: ")
    assert "ValueError: no such column" in job["FailureReason"]
    assert job["ExitMessage"] == "row 7"


def test_a_job_is_stopped(platform: Platform) -> None:
    sagemaker = platform.client("sagemaker")
    request = asked(platform, "import time; print('ready', flush=True); time.sleep(600)")
    name = request["ProcessingJobName"]
    sagemaker.create_processing_job(**request)
    wait_until(lambda: has_printed(platform, name, "ready"))
    with pytest.raises(ClientError, match="only a finished one can be deleted") as refused:
        sagemaker.delete_processing_job(ProcessingJobName=name)
    assert refused.value.response["Error"]["Code"] == "ResourceInUse"
    sagemaker.stop_processing_job(ProcessingJobName=name)
    assert ended(platform, name)["ProcessingJobStatus"] == "Stopped"
    sagemaker.delete_processing_job(ProcessingJobName=name)
    with pytest.raises(ClientError, match="Could not find requested job"):
        sagemaker.describe_processing_job(ProcessingJobName=name)


def test_a_job_past_its_time_is_stopped(platform: Platform) -> None:
    request = asked(platform, "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert run(platform, request)["ProcessingJobStatus"] == "Stopped"


def test_an_output_may_be_uploaded_while_the_job_runs(platform: Platform) -> None:
    base = unique("continuous")
    script = f"""
import boto3, pathlib, time
out = pathlib.Path("/opt/ml/processing/output")
(out / "first").write_text("1")
while not boto3.client("s3").list_objects_v2(Bucket="{BUCKET}", Prefix="{base}/")["KeyCount"]:
    time.sleep(0.1)
(out / "second").write_text("2")
"""
    config = written(f"s3://{BUCKET}/{base}", "/opt/ml/processing/output", mode="Continuous")
    job = run(platform, asked(platform, script, ProcessingOutputConfig=config))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert stored(platform, f"{base}/") == {"first": "1", "second": "2"}


@pytest.mark.parametrize("mode", ["EndOfJob", "Continuous"])
def test_an_output_bucket_that_is_not_there_fails_the_job(platform: Platform, mode: str) -> None:
    script = "open('/opt/ml/processing/output/a', 'w').write('a')"
    config = written("s3://no-such-bucket-here/out", "/opt/ml/processing/output", mode=mode)
    job = run(platform, asked(platform, script, ProcessingOutputConfig=config))
    assert job["ProcessingJobStatus"] == "Failed"
    assert "no-such-bucket-here" in job["FailureReason"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ProcessingInputs": [{"InputName": "a"}]}, "neither S3Input nor DatasetDefinition"),
        ({"ProcessingInputs": [{"InputName": "code", "AppManaged": True}]}, "names of inputs must be unique"),
        ({"ProcessingInputs": [{"InputName": "a", "S3Input": read("s3://b/c", "/tmp/data")}]}, "must begin with"),
        ({"ProcessingInputs": [{"InputName": "a", "S3Input": read("s3://b/c", CODE)}]}, "is named twice"),
        (
            {"ProcessingInputs": [{"InputName": "a", "S3Input": read("s3://b/c", f"{CODE}/a", S3InputMode="Pipe")}]},
            "cannot lie in the directory of the input code",
        ),
        (
            {
                "ProcessingInputs": [
                    {"InputName": "a", "S3Input": read("s3://b/c", f"{CODE}/a", S3CompressionType="Gzip")}
                ]
            },
            "can be Gzip only with S3InputMode Pipe",
        ),
        ({"ProcessingOutputConfig": written("s3://b/c", "/opt/ml/model")}, "must begin with"),
        ({"ProcessingOutputConfig": {"Outputs": [{"OutputName": "a"}]}}, "has no S3Output"),
    ],
)
def test_what_cannot_be_is_refused(platform: Platform, change: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        platform.client("sagemaker").create_processing_job(**asked(platform, "", **change))
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_an_input_may_be_a_pipe(platform: Platform) -> None:
    name = unique("pipe")
    for key, body in {"a": b"hello ", "b": b"world", "directory/": b""}.items():
        put(platform, f"{name}/{key}", gzip.compress(body) if body else b"")
    script = """
for epoch in range(2):
    print(epoch, open(f"/opt/ml/processing/input/data_{epoch}").read(), flush=True)
"""
    uri, path = f"s3://{BUCKET}/{name}/", "/opt/ml/processing/input/data"
    source = read(uri, path, S3InputMode="Pipe", S3CompressionType="Gzip")
    job = run(platform, asked(platform, script, ProcessingInputs=[{"InputName": "data", "S3Input": source}]))
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    printed = log_lines(platform, job["ProcessingJobName"], GROUP)
    assert [line for line in printed if "hello" in line] == ["0 hello world", "1 hello world"]


def test_an_image_without_a_program_says_so(platform: Platform) -> None:
    request = asked(platform, "")
    del request["AppSpecification"]["ContainerEntrypoint"]
    assert "ContainerEntrypoint" in run(platform, request)["FailureReason"]


def test_an_isolated_job_has_no_network(platform: Platform) -> None:
    script = "import socket\nprint([name for _, name in socket.if_nameindex()], flush=True)"
    request = asked(platform, script, NetworkConfig={"EnableNetworkIsolation": True})
    job = run(platform, request)
    assert job["ProcessingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert "['lo']" in log_lines(platform, job["ProcessingJobName"], GROUP)
