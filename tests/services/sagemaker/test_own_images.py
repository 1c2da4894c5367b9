"""Images of the account's own: pushed to the registry, then trained, served and processed with, through boto3."""

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.engines.capability import sandbox_works
from tests.oci_images import Built, build, busybox_layer, layer, push, python_layer, script
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, log_lines, put, tar_gz, unique, wait_until
from tests.services.sagemaker.transform.test_transform_jobs import Bench

pytestmark = pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")

TRAIN = """
import json, os, pathlib, sys
given = json.load(open("/opt/ml/input/config/hyperparameters.json"))
data = pathlib.Path("/opt/ml/input/data/train/x").read_text()
print("argv", sys.argv[1:], os.getuid(), os.environ["KIND"], given["factor"], data)
print("train-loss: 0.25")
pathlib.Path("/opt/ml/model/weights").write_text(data * int(given["factor"]))
"""
SERVE = """
import http.server, json, os, pathlib
models = {}
class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer(b"")
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/models":
            wanted = json.loads(asked)
            models[wanted["model_name"]] = wanted["url"]
            return self.answer(b"{}")
        name = self.path.split("/")[2:3]
        weights = pathlib.Path(models[name[0]] if name else "/opt/ml/model", "weights").read_text()
        self.answer(f"{os.uname().nodename} {weights} {asked.decode()}".encode())
http.server.ThreadingHTTPServer(("0.0.0.0", 8080), Handler).serve_forever()
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An image of Python with a `train` and a `serve`, as SageMaker's documentation has people build them."""
    programs = {
        "/opt/program/train": script(TRAIN, "/usr/bin/python3"),
        "/opt/program/serve": script(SERVE, "/usr/bin/python3"),
    }
    accounts = {"etc/passwd": "root:x:0:0::/root:/bin/sh\nml:x:1000:1000::/home/ml:/bin/sh\n"}
    return build(
        tmp_path_factory.mktemp("own"),
        [busybox_layer(), python_layer(), layer({**programs, **accounts})],
        Env=["PATH=/opt/program:/usr/bin:/bin", "KIND=own", "PYTHONUNBUFFERED=1"],
        WorkingDir="/opt/program",
        User="ml",
    )


@pytest.fixture(scope="module")
def uri(platform: Platform, built: Built) -> str:
    return push(platform, built, unique("team/own"), "v1")


def request(platform: Platform, image: str, **changes: Any) -> dict[str, Any]:
    name = unique("own")
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": {
            "TrainingImage": image,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "train-loss: ([0-9.]+)"}],
        },
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": put(platform, f"{name}/x", "ab")}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        "HyperParameters": {"factor": "3"},
        **changes,
    }


def train(platform: Platform, image: str, **changes: Any) -> dict[str, Any]:
    asked = request(platform, image, **changes)
    platform.client("sagemaker").create_training_job(**asked)
    return ended(platform, asked["TrainingJobName"])


def model_of(platform: Platform, job: dict[str, Any], directory: Path) -> dict[str, str]:
    bucket, _, key = job["ModelArtifacts"]["S3ModelArtifacts"].removeprefix("s3://").partition("/")
    packed = directory / "model.tar.gz"
    platform.client("s3").download_file(bucket, key, str(packed))
    with tarfile.open(packed) as archive:
        files = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_trains(platform: Platform, uri: str, tmp_path: Path) -> None:
    job = train(platform, uri)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["AlgorithmSpecification"]["TrainingImage"] == uri
    assert "argv [] 1000 own 3 ab" in log_lines(platform, job["TrainingJobName"])
    assert model_of(platform, job, tmp_path) == {"weights": "ababab"}
    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("loss", 0.25)]
    statuses = [passage["Status"] for passage in job["SecondaryStatusTransitions"]]
    assert statuses == ["Starting", "Downloading", "Training", "Uploading", "Completed"]


@pytest.mark.parametrize("host", ["{account}.dkr.ecr.us-east-1.amazonaws.com", "localhost:{port}"])
def test_is_found_by_each_address_and_by_digest(platform: Platform, uri: str, built: Built, host: str) -> None:
    address, _, named = uri.partition("/")
    given = host.format(account="123456789012", port=address.rpartition(":")[2])
    repository = named.partition(":")[0]
    for image in (f"{given}/{named}", f"{given}/{repository}@{built.image.digest}"):
        assert train(platform, image)["TrainingJobStatus"] == "Completed"


def test_the_requests_entrypoint_and_arguments_replace_its_own(platform: Platform, uri: str) -> None:
    algorithm = {"TrainingImage": uri, "TrainingInputMode": "File"}
    entrypoint = {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": ['echo "given $KIND $PWD"']}
    job = train(platform, uri, AlgorithmSpecification={**algorithm, **entrypoint})
    assert "given own /opt/program" in log_lines(platform, job["TrainingJobName"])


def test_reads_its_channel_from_pipes(platform: Platform, uri: str) -> None:
    algorithm = {"TrainingImage": uri, "TrainingInputMode": "Pipe"}
    pipes = " ".join(f"/opt/ml/input/data/train_{epoch}" for epoch in range(4))
    entrypoint = {"ContainerEntrypoint": ["/bin/sh", "-c"], "ContainerArguments": [f"cat {pipes}"]}
    job = train(platform, uri, AlgorithmSpecification={**algorithm, **entrypoint})
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert "abababab" in log_lines(platform, job["TrainingJobName"])


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ("{registry}:v2", "Cannot pull algorithm container. Either the image {registry}:v2 does not exist"),
        (
            "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1",
            "Either the image 123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1 does not exist or its",
        ),
        ("999999999999.dkr.ecr.us-east-1.amazonaws.com/none:1", "Clary has no image for 999999999999"),
    ],
)
def test_one_that_is_not_there_fails_the_job_by_its_name(platform: Platform, uri: str, image: str, reason: str) -> None:
    registry = uri.removesuffix(":v1")
    job = train(platform, image.format(registry=registry))
    assert job["TrainingJobStatus"] == "Failed"
    assert reason.format(registry=registry) in job["FailureReason"]


@pytest.fixture
def endpoint(platform: Platform, uri: str) -> Iterator[str]:
    """Two replicas of the image side by side, both on port 8080 of all addresses."""
    sagemaker, name = platform.client("sagemaker"), unique("own")
    data = put(platform, f"{name}/model.tar.gz", tar_gz({"weights": "w"}))
    sagemaker.create_model(ModelName=name, PrimaryContainer={"Image": uri, "ModelDataUrl": data}, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    yield name
    sagemaker.delete_endpoint(EndpointName=name)


def test_transforms_objects(platform: Platform, uri: str) -> None:
    bench, name = Bench(platform), unique("own")
    container = {"Image": uri, "ModelDataUrl": put(platform, f"{name}/model.tar.gz", tar_gz({"weights": "5"}))}
    bench.sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    base = bench.put({"a": "x\ny\n"})
    job = bench.run(
        name, base, BatchStrategy="SingleRecord", given={"SplitType": "Line"}, wanted={"AssembleWith": "Line"}
    )
    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    assert bench.kept(base) == {"a.out": "algo-1 5 x\nalgo-1 5 y\n"}


def test_serves_on_the_port_of_the_contract(platform: Platform, endpoint: str) -> None:
    def status() -> str | None:
        told: str = platform.client("sagemaker").describe_endpoint(EndpointName=endpoint)["EndpointStatus"]
        return None if told == "Creating" else told

    assert wait_until(status) == "InService"
    runtime = platform.client("sagemaker-runtime")
    answers = {runtime.invoke_endpoint(EndpointName=endpoint, Body=b"asked")["Body"].read().decode() for _ in range(20)}
    hosts = {answer.partition(" ")[0] for answer in answers}
    assert len(hosts) == 2
    assert answers == {f"{host} w asked" for host in hosts}


def test_serves_many_models(platform: Platform, uri: str) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("many")
    for word in ("one", "two"):
        where = put(platform, f"{name}/{word}.tar.gz", tar_gz({"weights": word}))
    container = {"Image": uri, "ModelDataUrl": where.rpartition("/")[0], "Mode": "MultiModel"}
    sagemaker.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    invoke = platform.client("sagemaker-runtime").invoke_endpoint
    answers = [invoke(EndpointName=name, Body=b"x", TargetModel=f"{word}.tar.gz") for word in ("one", "two", "one")]
    assert [answer["Body"].read().decode().split()[1:] for answer in answers] == [
        ["one", "x"],
        ["two", "x"],
        ["one", "x"],
    ]
    sagemaker.delete_endpoint(EndpointName=name)


def test_processes(platform: Platform, uri: str) -> None:
    sagemaker, name = platform.client("sagemaker"), unique("own")
    source = put(platform, f"{name}/in/x", "in")
    command = "cat /opt/ml/processing/in/x > /opt/ml/processing/out/y; echo done >> /opt/ml/processing/out/y"
    sagemaker.create_processing_job(
        ProcessingJobName=name,
        RoleArn=ROLE,
        AppSpecification={"ImageUri": uri, "ContainerEntrypoint": ["/bin/sh", "-c", command]},
        ProcessingResources={"ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}},
        ProcessingInputs=[
            {
                "InputName": "in",
                "S3Input": {"S3Uri": source, "LocalPath": "/opt/ml/processing/in", "S3DataType": "S3Prefix"},
            }
        ],
        ProcessingOutputConfig={
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": f"s3://{BUCKET}/{name}/out",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
    )

    def status() -> str | None:
        told: str = sagemaker.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
        return None if told == "InProgress" else told

    assert wait_until(status) == "Completed"
    body = platform.client("s3").get_object(Bucket=BUCKET, Key=f"{name}/out/y")["Body"].read()
    assert body == b"indone\n"


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo (Debian has it)")
def test_what_skopeo_pushed_runs(platform: Platform, built: Built) -> None:
    ecr, name = platform.client("ecr"), unique("team/skopeo")
    target = ecr.create_repository(repositoryName=name)["repository"]["repositoryUri"]
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    login = json.dumps({"auths": {urlsplit(f"//{target}").netloc: {"auth": token}}})
    logged_in = built.directory / "auth.json"
    logged_in.write_text(login)
    subprocess.run(
        [
            "skopeo",
            "copy",
            "--authfile",
            logged_in,
            "--dest-tls-verify=false",
            f"oci:{built.directory}",
            f"docker://{target}:1",
        ],
        check=True,
        capture_output=True,
    )
    assert train(platform, f"{target}:1")["TrainingJobStatus"] == "Completed"


def test_a_replica_that_is_started_later_has_the_image_of_the_others(
    platform: Platform, endpoint: str, uri: str, tmp_path: Path
) -> None:
    sagemaker = platform.client("sagemaker")

    def replicas() -> int | None:
        told = sagemaker.describe_endpoint(EndpointName=endpoint)
        return told["ProductionVariants"][0]["CurrentInstanceCount"] if told["EndpointStatus"] == "InService" else None

    assert wait_until(replicas) == 2
    other = build(tmp_path / "other", [busybox_layer(), layer({"/usr/bin/serve": script("exit 1")})])
    repository, tag = uri.partition("/")[2].split(":")
    push(platform, other, repository, tag)
    wanted = [{"VariantName": "all", "DesiredInstanceCount": 3}]
    sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=wanted)
    wait_until(lambda: replicas() == 3)
