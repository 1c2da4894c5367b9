"""Transform jobs through boto3: what a model is asked, what becomes of its answers, and how jobs end."""

import gzip
import json
import struct
import uuid
from contextlib import suppress
from datetime import UTC
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ROLE, SKLEARN, log_lines, put, stored, tar_gz, unique, wait_until

GROUP = "/aws/sagemaker/TransformJobs"
ECHO = """
import json, os, time

class Answer:
    mimetype, headers = "text/plain", {}
    def __init__(self, status_code, text):
        self.status_code, self.text = status_code, text
    def get_data(self):
        return self.text.encode()

def model_fn(model_dir):
    batch = {name: os.environ[name] for name in sorted(os.environ) if name.startswith("SAGEMAKER_BATCH")}
    print("environment", json.dumps(batch), os.environ.get("COLOUR"), flush=True)
    return open(model_dir + "/word.txt").read()

failures = 0

def transform_fn(model, body, content_type, accept):
    global failures
    text = body if isinstance(body, str) else body.decode("latin-1")
    if "wait" in text:
        time.sleep(600)
    if "refuse" in text:
        return Answer(415, "cannot read this")
    if "raise" in text:
        raise ValueError("cannot predict this")
    if "twice" in text and failures < 2:
        failures += 1
        raise ValueError("not yet")
    print("asked", repr(text), content_type, accept, flush=True)
    return "\\n".join(model + line for line in text.splitlines()), accept
"""


class Bench:
    """Models and transform jobs, made with boto3."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.sagemaker = platform.client("sagemaker")

    def model(self, script: str = ECHO) -> str:
        name = unique("model")
        packed = tar_gz({"word.txt": "w:", "code/inference.py": script})
        container = {
            "Image": SKLEARN,
            "ModelDataUrl": put(self.platform, f"{name}/model.tar.gz", packed),
            "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
        }
        self.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        return name

    def pipeline(self, *scripts: str) -> str:
        """A model of several containers."""
        containers = [
            self.sagemaker.describe_model(ModelName=self.model(script))["PrimaryContainer"] for script in scripts
        ]
        name = unique("pipeline")
        self.sagemaker.create_model(ModelName=name, Containers=containers, ExecutionRoleArn=ROLE)
        return name

    def put(self, objects: dict[str, bytes | str]) -> str:
        base = unique("data")
        for name, body in objects.items():
            put(self.platform, f"{base}/in/{name}", body)
        return base

    def start(self, model: str, base: str, *, where: str = "in/", kind: str = "S3Prefix", **changes: Any) -> str:
        name = unique("transform")
        given, wanted = changes.pop("given", {}), changes.pop("wanted", {})
        source = {"S3DataType": kind, "S3Uri": f"s3://{BUCKET}/{base}/{where}"}
        self.sagemaker.create_transform_job(
            TransformJobName=name,
            ModelName=model,
            TransformInput={"DataSource": {"S3DataSource": source}, "ContentType": "text/csv", **given},
            TransformOutput={"S3OutputPath": f"s3://{BUCKET}/{base}/out", **wanted},
            TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": changes.pop("count", 1)},
            **changes,
        )
        return name

    def ended(self, name: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

        job: dict[str, Any] = wait_until(look)
        return job

    def run(self, model: str, base: str, **changes: Any) -> dict[str, Any]:
        return self.ended(self.start(model, base, **changes))

    def kept(self, base: str) -> dict[str, str]:
        return stored(self.platform, f"{base}/out/")

    def log(self, name: str) -> list[str]:
        return log_lines(self.platform, name, GROUP)

    def told(self, name: str) -> list[str]:
        """What the data log says, without the times."""
        return [line.partition(":[sagemaker logs]: ")[2] for line in self.log(name) if ":[sagemaker logs]: " in line]


@pytest.fixture(scope="module")
def bench(platform: Platform) -> Bench:
    return Bench(platform)


@pytest.fixture(scope="module")
def echo(bench: Bench) -> str:
    return bench.model()


def test_each_object_is_answered_in_its_place(bench: Bench, echo: str) -> None:
    base = bench.put({"a.csv": "1\n2\n", "deep/b.csv": "3\n", "deep/": "", "empty": ""})
    job = bench.run(
        echo, base, given={"SplitType": "Line"}, wanted={"AssembleWith": "Line", "Accept": "text/plain"},
        Environment={"COLOUR": "green"}, BatchStrategy="MultiRecord", Tags=[{"Key": "team", "Value": "tides"}],
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["TransformEndTime"] >= job["TransformStartTime"] >= job["CreationTime"]
    assert bench.kept(base) == {"a.csv.out": "w:1\nw:2\n", "deep/b.csv.out": "w:3\n", "empty.out": ""}
    name = job["TransformJobName"]
    lines = bench.log(name)
    environment = {"SAGEMAKER_BATCH": "true", "SAGEMAKER_BATCH_STRATEGY": "MULTI_RECORD"}
    assert f"environment {json.dumps(environment)} green" in lines
    assert "asked '1\\n2' text/csv text/plain" in lines
    assert bench.told(name) == ["MaxConcurrentTransforms=1, MaxPayloadInMB=6, BatchStrategy=MULTI_RECORD"]
    streams = bench.platform.client("logs").describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{name}/")
    own, data = sorted(stream["logStreamName"] for stream in streams["logStreams"])
    assert data == f"{own}/data-log"
    [summary] = bench.sagemaker.list_transform_jobs(NameContains=name)["TransformJobSummaries"]
    assert summary["TransformJobStatus"] == "Completed"
    component = bench.sagemaker.describe_trial_component(TrialComponentName=f"{name}-aws-transform-job")
    assert component["Source"]["SourceType"] == "SageMakerTransformJob"
    assert component["OutputArtifacts"]["SageMaker.TransformOutput"]["Value"] == f"s3://{BUCKET}/{base}/out"


def test_records_are_sent_one_by_one_and_several_at_once_and_kept_in_order(bench: Bench, echo: str) -> None:
    rows = [f"{number}" for number in range(60)]
    base = bench.put({"rows.csv.gz": gzip.compress("\n".join(rows[:40]).encode()) + gzip.compress(b"\n40\ntwice")})
    job = bench.run(
        echo, base, where="in/rows.csv.gz", given={"SplitType": "Line", "CompressionType": "Gzip"},
        wanted={"AssembleWith": "Line"}, BatchStrategy="SingleRecord", MaxConcurrentTransforms=4, MaxPayloadInMB=1,
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.kept(base) == {"rows.csv.gz.out": "".join(f"w:{row}\n" for row in [*rows[:41], "twice"])}
    assert bench.told(job["TransformJobName"])[0].startswith("MaxConcurrentTransforms=4, MaxPayloadInMB=1,")


def test_instances_share_the_objects_of_a_manifest(bench: Bench, echo: str) -> None:
    """The third of them finds nothing to do."""
    frames = b"".join(struct.pack("<QI", 2, 0) + each + bytes(4) for each in (b"r1", b"r2"))
    base = bench.put({"x/1": frames, "y/2": frames, "z/3": "never asked for"})
    manifest = [{"prefix": f"s3://{BUCKET}/{base}/in/"}, "y/2", "x/1"]
    put(bench.platform, f"{base}/manifest", json.dumps(manifest))
    job = bench.run(
        echo, base, where="manifest", kind="ManifestFile", count=3, BatchStrategy="SingleRecord",
        given={"SplitType": "TFRecord", "ContentType": "application/octet-stream"},
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.kept(base) == {"x/1.out": "w:r1w:r2", "y/2.out": "w:r1w:r2"}


def test_what_is_captured_are_lists_of_objects_and_ids_of_records(bench: Bench, echo: str) -> None:
    base = bench.put({"a.csv": "1\n2\n", "deep/b.csv": "3"})
    capture = {"DestinationS3Uri": f"s3://{BUCKET}/{base}/captured", "GenerateInferenceId": True}
    job = bench.run(
        echo, base, given={"SplitType": "Line"}, wanted={"AssembleWith": "Line", "Accept": "text/csv"},
        DataCaptureConfig=capture,
    )  # fmt: skip
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert job["DataCaptureConfig"] == capture
    began = job["CreationTime"].astimezone(UTC)
    rows = [row.split(",") for row in bench.kept(base)["a.csv.out"].splitlines()]
    assert [(row[0], row[2]) for row in rows] == [(word, f"{began:%Y-%m-%dT%H:%M:%SZ}") for word in ("w:1", "w:2")]
    assert len({uuid.UUID(row[1]) for row in rows}) == 2
    captured = stored(bench.platform, f"{base}/captured/")
    hour, name = f"{began:%Y/%m/%d/%H}", job["TransformJobName"]
    assert {key: json.loads(text) for key, text in captured.items()} == {
        f"input/{hour}/{name}.manifest": [{"prefix": f"s3://{BUCKET}/{base}/in/"}, "a.csv", "deep/b.csv"],
        f"output/{hour}/{name}.manifest": [{"prefix": f"s3://{BUCKET}/{base}/out/"}, "a.csv.out", "deep/b.csv.out"],
    }


def test_answers_go_through_all_containers_of_a_model(bench: Bench) -> None:
    """On each of two instances, of which one finds nothing to do."""
    upper = "def model_fn(_):\n    pass\n\ndef transform_fn(_model, body, *_):\n    return body.upper(), 'text/csv'\n"
    base = bench.put({"a.csv": "x\ny\n"})
    job = bench.run(bench.pipeline(upper, ECHO), base, count=2, wanted={"Accept": "text/plain"})
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.kept(base) == {"a.csv.out": "w:X\nw:Y"}
    assert "asked 'X\\nY\\n' text/csv text/plain" in bench.log(job["TransformJobName"])


def test_what_fails_is_an_object_and_the_others_are_kept(bench: Bench, echo: str) -> None:
    base = bench.put({"1": "good", "2": "1\nraise", "3": "refuse", "4": "fine"})
    job = bench.run(echo, base, given={"SplitType": "Line"}, ModelClientConfig={"InvocationsMaxRetries": 1})
    assert job["TransformJobStatus"] == "Failed"
    where = f"{BUCKET}/{base}/in"
    reason = "AlgorithmError: See job logs for more information"
    assert job["FailureReason"] == f"{reason}. {where}/2: Bad HTTP status received from algorithm: 500"
    assert bench.kept(base) == {"1.out": "w:good", "4.out": "w:fine"}
    told = bench.told(job["TransformJobName"])
    assert f"{where}/2: ValueError: cannot predict this" in told
    refused = told.index(f"{where}/3: ClientError: 415")
    assert told[refused + 1 : refused + 4] == [f"{where}/3: ", f"{where}/3: Message:", f"{where}/3: cannot read this"]
    tries = [line for line in bench.log(job["TransformJobName"]) if line == "ValueError: cannot predict this"]
    assert len(tries) == 2


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("def model_fn(model_dir):\n    raise ValueError('no model')", "AlgorithmError: "),
        (ECHO.replace('raise ValueError("cannot predict', 'os._exit(7) #("'), "AlgorithmError: "),
    ],
)
def test_a_server_that_ends_fails_the_job(bench: Bench, script: str, reason: str) -> None:
    base = bench.put({"1": "good", "2": "raise"})
    job = bench.run(bench.model(script), base)
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith(reason)
    assert "exit code" in job["FailureReason"]


def test_a_job_that_is_stopped_leaves_nothing(bench: Bench, echo: str) -> None:
    base = bench.put({"1": "good", "2": "wait"})
    name = bench.start(echo, base)
    wait_until(lambda: bench.sagemaker.describe_transform_job(TransformJobName=name).get("TransformStartTime"))
    bench.sagemaker.stop_transform_job(TransformJobName=name)
    assert bench.ended(name)["TransformJobStatus"] == "Stopped"
    assert bench.kept(base) == {}
    with pytest.raises(ClientError, match="is in status Stopped"):
        bench.sagemaker.stop_transform_job(TransformJobName=name)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"BatchStrategy": "SingleRecord"}, "BatchStrategy SingleRecord needs a SplitType"),
        ({"MaxConcurrentTransforms": 20, "MaxPayloadInMB": 6}, "cannot be greater than 100"),
        ({"DataProcessing": {"InputFilter": "$..id"}}, "InputFilter is no JSONPath"),
        ({"DataProcessing": {"JoinSource": "Input"}, "given": {"ContentType": "image/png"}}, "needs a ContentType of"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "wanted": {"Accept": "application/json"}},
            "cannot be joined with an input",
        ),
        ({"kind": "AugmentedManifestFile"}, "S3DataType AugmentedManifestFile cannot"),
        ({"model": "no-such-model"}, "Could not find model"),
    ],
)
def test_what_does_not_go_together_is_refused(bench: Bench, echo: str, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why) as refused:
        bench.start(**{"model": echo, "base": "nowhere", **changes})
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_a_job_without_input_fails_by_name(bench: Bench, echo: str) -> None:
    job = bench.run(echo, unique("nothing"))
    assert job["TransformJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("ClientError: No S3 objects found")


def test_a_platform_that_is_killed_loses_and_doubles_nothing(own_platform: Platform) -> None:
    bench = Bench(own_platform)
    base = bench.put({name: "".join(f"{name}{number}\n" for number in range(50)) for name in "abc"})
    slow = ECHO.replace("    text = body", "    time.sleep(0.01)\n    text = body")
    name = bench.start(
        bench.model(slow), base, BatchStrategy="SingleRecord", MaxConcurrentTransforms=2,
        given={"SplitType": "Line"}, wanted={"AssembleWith": "Line", "Accept": "text/csv"},
    )  # fmt: skip
    wait_until(lambda: has_printed(bench, name, "asked 'a9' text/csv text/csv"))
    own_platform.kill()
    own_platform.up()
    bench = Bench(own_platform)
    assert bench.ended(name)["TransformJobStatus"] == "Completed"
    rows = {letter: [f"{letter}{number}" for number in range(50)] for letter in "abc"}
    assert bench.kept(base) == {f"{letter}.out": "".join(f"w:{row}\n" for row in rows[letter]) for letter in "abc"}
    asked = [line for line in bench.log(name) if line.startswith("asked")]
    assert sorted(asked) == sorted(f"asked '{row}' text/csv text/csv" for letter in "abc" for row in rows[letter])


def has_printed(bench: Bench, name: str, line: str) -> bool:
    """A group of logs comes into being with its first line."""
    with suppress(bench.platform.client("logs").exceptions.ResourceNotFoundException):
        return line in bench.log(name)
    return False
