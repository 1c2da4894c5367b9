"""Training jobs through boto3: what they do, how they end and what is told of it."""

import json
import tarfile
import zipfile
from io import BytesIO
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import (
    BUCKET,
    SKLEARN,
    ended,
    log_lines,
    put,
    run_job,
    tar_gz,
    training_request,
    unique,
    wait_until,
)

RESOURCES = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
CHANNEL = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://a/b"}},
}

CONVERSE = {
    "ChannelName": "train",
    "DataSource": {"S3DataSource": {"S3DataType": "Converse", "S3Uri": "s3://a/b"}},
}


def test_a_job_goes_through_aws_statuses_and_leaves_its_model(platform: Platform) -> None:
    script = """
import json, os, pathlib, socket
print("training", os.environ["SM_CHANNEL_TRAIN"], socket.gethostname(), flush=True)
data = pathlib.Path("/opt/ml/input/data/train/a.csv").read_text()
pathlib.Path("/opt/ml/model/model.txt").write_text(data.upper())
pathlib.Path("/opt/ml/output/data").mkdir(parents=True, exist_ok=True)
pathlib.Path("/opt/ml/output/data/notes.txt").write_text("notes")
"""
    uri = put(platform, f"{unique('data')}/train/a.csv", "one,two\n").rsplit("/", 1)[0]
    channel = {
        "ChannelName": "train",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
    job = run_job(platform, script, InputDataConfig=[channel])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    transitions = job["SecondaryStatusTransitions"]
    assert [t["Status"] for t in transitions] == [
        "Starting",
        "Downloading",
        "Training",
        "Uploading",
        "Completed",
    ]
    assert all(t["StatusMessage"] and t["StartTime"] and t["EndTime"] >= t["StartTime"] for t in transitions)
    assert job["TrainingEndTime"] >= job["TrainingStartTime"] >= job["CreationTime"]
    assert job["BillableTimeInSeconds"] == job["TrainingTimeInSeconds"] >= 1

    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert model == f"s3://{BUCKET}/out/{job['TrainingJobName']}/output/model.tar.gz"
    assert unpack(platform, model) == {"model.txt": b"ONE,TWO\n"}
    assert unpack(platform, model.replace("model.tar.gz", "output.tar.gz")) == {"notes.txt": b"notes"}
    assert "training /opt/ml/input/data/train algo-1" in log_lines(platform, job["TrainingJobName"])


def unpack(platform: Platform, uri: str) -> dict[str, bytes]:
    body = platform.client("s3").get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))["Body"].read()
    with tarfile.open(fileobj=BytesIO(body)) as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {file.name.removeprefix("./"): archive.extractfile(file).read() for file in files}  # type: ignore[union-attr]


def test_what_the_program_finds(platform: Platform) -> None:
    script = """
import json, os, pathlib, sys
config = pathlib.Path("/opt/ml/input/config")
print(json.dumps({
    "argv": sys.argv[1:],
    "hyperparameters": json.loads((config / "hyperparameters.json").read_text()),
    "resources": json.loads((config / "resourceconfig.json").read_text()),
    "environment": dict(os.environ),
}), flush=True)
"""
    job = run_job(platform, script, HyperParameters={"depth": "3", "rate": "0.5"}, Environment={"COLOUR": "blue"})
    printed = next(line for line in log_lines(platform, job["TrainingJobName"]) if line.startswith('{"argv"'))
    seen = json.loads(printed)
    assert seen["argv"] == ["--depth", "3", "--rate", "0.5"]
    assert seen["hyperparameters"]["depth"] == "3"
    assert seen["resources"]["hosts"] == ["algo-1"]
    assert seen["resources"]["current_instance_type"] == "ml.m5.large"
    environment = seen["environment"]
    assert environment["COLOUR"] == "blue"
    assert environment["TRAINING_JOB_NAME"] == job["TrainingJobName"]
    assert environment["SM_HP_DEPTH"] == "3"
    assert environment["SM_MODEL_DIR"] == "/opt/ml/model"
    assert platform.keys()[1] not in printed


def test_a_program_that_fails_says_why(platform: Platform) -> None:
    job = run_job(platform, "print('so far', flush=True)\nraise ValueError('the data has no rows')\n")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert "ValueError: the data has no rows" in job["FailureReason"]
    assert "so far" in log_lines(platform, job["TrainingJobName"])


def test_the_failure_file_is_the_reason(platform: Platform) -> None:
    script = "import sys\nopen('/opt/ml/output/failure', 'w').write('no sun today')\nsys.exit(3)\n"
    assert "no sun today" in run_job(platform, script)["FailureReason"]


def test_an_unknown_image_fails_at_once_and_lists_those_known(platform: Platform) -> None:
    specification = {
        "TrainingImage": "123456789012.dkr.ecr.us-east-1.amazonaws.com/mine:1",
        "TrainingInputMode": "File",
    }
    job = run_job(platform, "", AlgorithmSpecification=specification)
    assert job["TrainingJobStatus"] == "Failed"
    assert "sagemaker-scikit-learn, sagemaker-xgboost" in job["FailureReason"]


def test_a_channel_without_objects_fails_with_its_uri(platform: Platform) -> None:
    uri = f"s3://{BUCKET}/{unique('nothing')}/"
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    job = run_job(platform, "", InputDataConfig=[{"ChannelName": "train", "DataSource": {"S3DataSource": source}}])
    assert f'No S3 objects found under S3 URL "{uri}"' in job["FailureReason"]


def test_stop_lets_the_program_save_what_it_has(platform: Platform) -> None:
    script = """
import pathlib, signal, sys, time
def save(*_):
    pathlib.Path("/opt/ml/model/checkpoint").write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(600)
"""
    request = training_request(platform, script)
    sagemaker, name = platform.client("sagemaker"), request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    wait_until(lambda: printed(platform, name, "ready"))
    sagemaker.stop_training_job(TrainingJobName=name)
    job = ended(platform, name)
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped", job.get("FailureReason")
    statuses = [t["Status"] for t in job["SecondaryStatusTransitions"]]
    assert statuses[-2:] == ["Stopping", "Stopped"]
    assert unpack(platform, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"checkpoint": b"saved"}
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName=name)


def printed(platform: Platform, name: str, text: str) -> bool:
    try:
        return text in log_lines(platform, name)
    except ClientError:
        return False


def test_a_job_past_its_longest_runtime_is_stopped(platform: Platform) -> None:
    job = run_job(platform, "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 1})
    assert (job["TrainingJobStatus"], job["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_network_isolation_leaves_the_program_alone(platform: Platform) -> None:
    script = "import socket\nprint(sorted(name for _, name in socket.if_nameindex()), flush=True)\n"
    job = run_job(platform, script, EnableNetworkIsolation=True)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["EnableNetworkIsolation"] is True
    assert "['lo']" in log_lines(platform, job["TrainingJobName"])


def code_channel(uri: str) -> dict[str, Any]:
    return {
        "ChannelName": "code",
        "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri}},
    }


def test_an_isolated_job_takes_its_script_from_the_channel_code(platform: Platform) -> None:
    script = "import os; print('running', os.path.basename(__file__), flush=True)"
    source = put(platform, f"{unique('source')}/sourcedir.tar.gz", tar_gz({"train.py": script}))
    job = run_job(
        platform,
        "",
        EnableNetworkIsolation=True,
        InputDataConfig=[code_channel(source.rsplit("/", 1)[0])],
        HyperParameters={"sagemaker_submit_directory": json.dumps("/opt/ml/input/data/code/sourcedir.tar.gz")},
    )
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "running train.py" in log_lines(platform, job["TrainingJobName"])


def test_a_script_that_no_channel_has_is_named(platform: Platform) -> None:
    absent = "/opt/ml/input/data/code/sourcedir.tar.gz"
    job = run_job(platform, "", HyperParameters={"sagemaker_submit_directory": json.dumps(absent)})
    assert job["TrainingJobStatus"] == "Failed"
    assert absent in job["FailureReason"]


def test_metrics_are_read_from_what_the_program_prints(platform: Platform) -> None:
    specification = {
        "TrainingImage": SKLEARN,
        "TrainingInputMode": "File",
        "MetricDefinitions": [{"Name": "validation:rmse", "Regex": "rmse=([0-9.]+)"}],
    }
    job = run_job(
        platform, "for v in (3.5, 2.25): print(f'rmse={v}', flush=True)", AlgorithmSpecification=specification
    )
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("validation:rmse", 2.25)]


def test_requirements_beside_the_script_are_installed(platform: Platform) -> None:
    request = training_request(platform, "")
    script = "import greeting; print(greeting.HELLO, flush=True)"
    wheel = "greeting-1.0-py3-none-any.whl"
    files = {"train.py": script, "requirements.txt": f"/opt/ml/code/{wheel}\n", wheel: greeting_wheel()}
    source = put(platform, f"{unique('code')}/sourcedir.tar.gz", tar_gz(files))
    request["HyperParameters"]["sagemaker_submit_directory"] = json.dumps(source)
    platform.client("sagemaker").create_training_job(**request)
    job = ended(platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "hello from a package" in log_lines(platform, job["TrainingJobName"])


def greeting_wheel() -> bytes:
    """A package with one module, `greeting`, as a wheel."""
    files = {
        "greeting.py": "HELLO = 'hello from a package'\n",
        "greeting-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n",
        "greeting-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "greeting-1.0.dist-info/RECORD": "",
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


@pytest.mark.slow
def test_a_program_that_never_stops_printing_can_be_stopped(platform: Platform) -> None:
    request = training_request(platform, "while True:\n    print('x' * 200)\n")
    sagemaker, name = platform.client("sagemaker"), request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    states = ("Training", "Uploading")
    wait_until(lambda: sagemaker.describe_training_job(TrainingJobName=name)["SecondaryStatus"] in states)
    sagemaker.stop_training_job(TrainingJobName=name)
    assert ended(platform, name)["TrainingJobStatus"] == "Stopped"


def test_a_metric_that_backtracks_without_end_stops_nothing(platform: Platform) -> None:
    definitions = [
        {"Name": "hostile", "Regex": "(a+)+$()"},
        {"Name": "odd", "Regex": "loss=(.*?);"},
        {"Name": "good", "Regex": "acc=([0-9.]+)"},
    ]
    specification = {"TrainingImage": SKLEARN, "TrainingInputMode": "File", "MetricDefinitions": definitions}
    script = "print('a' * 60 + '!')\nprint('loss=nan; acc=0.5', flush=True)\n"
    job = run_job(platform, script, AlgorithmSpecification=specification)
    assert [(m["MetricName"], m["Value"]) for m in job["FinalMetricDataList"]] == [("good", 0.5)]


def test_an_output_bucket_that_does_not_exist_fails_the_job(platform: Platform) -> None:
    script = "open('/opt/ml/model/weights', 'w').write('1')\n"
    job = run_job(platform, script, OutputDataConfig={"S3OutputPath": "s3://no-such-bucket-here/out"})
    assert job["TrainingJobStatus"] == "Failed"
    assert 'the bucket "no-such-bucket-here" of S3OutputPath does not exist' in job["FailureReason"]


class TestRequests:
    def test_a_name_is_taken_once(self, platform: Platform) -> None:
        request = training_request(platform, "")
        sagemaker = platform.client("sagemaker")
        sagemaker.create_training_job(**request)
        with pytest.raises(ClientError, match="already exists") as raised:
            sagemaker.create_training_job(**request)
        assert raised.value.response["Error"]["Code"] == "ResourceInUse"

    def test_an_unknown_job_is_not_found(self, platform: Platform) -> None:
        sagemaker = platform.client("sagemaker")
        for operation in ("describe", "stop", "delete"):
            with pytest.raises(ClientError, match="Requested resource not found") as raised:
                getattr(sagemaker, f"{operation}_training_job")(TrainingJobName="no-such-job")
            # Not the documented ResourceNotFound: AWS answers so, and clients have come to look for it.
            assert raised.value.response["Error"]["Code"] == "ValidationException"

    def test_deleting_frees_the_name(self, platform: Platform) -> None:
        job = run_job(platform, "")
        sagemaker = platform.client("sagemaker")
        sagemaker.delete_training_job(TrainingJobName=job["TrainingJobName"])
        with pytest.raises(ClientError, match="Requested resource not found"):
            sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])

    def test_a_running_job_cannot_be_deleted(self, platform: Platform) -> None:
        request = training_request(
            platform, "import time; time.sleep(600)", StoppingCondition={"MaxRuntimeInSeconds": 60}
        )
        sagemaker = platform.client("sagemaker")
        sagemaker.create_training_job(**request)
        with pytest.raises(sagemaker.exceptions.ResourceInUse):
            sagemaker.delete_training_job(TrainingJobName=request["TrainingJobName"])
        sagemaker.stop_training_job(TrainingJobName=request["TrainingJobName"])

    def test_jobs_of_another_region_are_not_seen(self, platform: Platform) -> None:
        request = training_request(platform, "")
        platform.client("sagemaker").create_training_job(**request)
        abroad = platform.client("sagemaker", region="eu-west-1")
        with pytest.raises(ClientError, match="Requested resource not found"):
            abroad.describe_training_job(TrainingJobName=request["TrainingJobName"])

    @pytest.mark.parametrize(
        ("changes", "named"),
        [
            ({"RemoteDebugConfig": {"EnableRemoteDebug": True}}, "RemoteDebugConfig"),
            ({"OutputDataConfig": {"S3OutputPath": "https://s3.amazonaws.com/b"}}, "S3OutputPath"),
            ({"InputDataConfig": [CONVERSE]}, "S3DataType Converse"),
            ({"InputDataConfig": [CHANNEL, CHANNEL]}, "must be unique"),
            ({"InputDataConfig": [{**CHANNEL, "ChannelName": ".."}]}, "cannot be the name of a directory"),
        ],
    )
    def test_what_is_not_built_is_refused_by_name(
        self, platform: Platform, changes: dict[str, Any], named: str
    ) -> None:
        with pytest.raises(ClientError, match=named) as raised:
            platform.client("sagemaker").create_training_job(**training_request(platform, "", **changes))
        assert raised.value.response["Error"]["Code"] == "ValidationException"


def test_many_jobs_at_once(platform: Platform) -> None:
    requests = [training_request(platform, "print('done', flush=True)") for _ in range(20)]
    for request in requests:
        platform.client("sagemaker").create_training_job(**request)
    jobs = [ended(platform, request["TrainingJobName"]) for request in requests]
    assert {job["TrainingJobStatus"] for job in jobs} == {"Completed"}
