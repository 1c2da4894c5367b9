"""Training jobs of several instances: what each is told, what each gets, and how they end together."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.sagemaker.training.cluster import members, resource_config
from tests.engines.capability import needs_own_networks
from tests.platform import Platform
from tests.programs import (
    BUCKET,
    XGBOOST,
    ended,
    log_lines,
    put,
    run_job,
    training_request,
    unique,
    wait_until,
)
from tests.services.sagemaker.training.test_training_jobs import unpack

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
MIXED = {
    "VolumeSizeInGB": 1,
    "InstanceGroups": [
        {"InstanceGroupName": "readers", "InstanceType": "ml.c5.xlarge", "InstanceCount": 1},
        {"InstanceGroupName": "learners", "InstanceType": "ml.m5.large", "InstanceCount": 2},
    ],
}
TELL = """
import json, os, pathlib
data = pathlib.Path("/opt/ml/input/data")
print("told", json.dumps({
    "resources": json.loads(pathlib.Path("/opt/ml/input/config/resourceconfig.json").read_text()),
    "channels": {d.name: sorted(p.name for p in d.iterdir()) for d in data.iterdir()} if data.exists() else {},
    "configured": sorted(json.loads(pathlib.Path("/opt/ml/input/config/inputdataconfig.json").read_text())),
    "variables": {name: value for name, value in os.environ.items() if name.startswith("SM_")},
}), flush=True)
"""
EXCHANGE = """
import os, pathlib, socket, time
me, hosts = os.environ["SM_CURRENT_HOST"], ["algo-1", "algo-2"]
[other] = [host for host in hosts if host != me]
server = socket.create_server((me, 7777))
deadline = time.monotonic() + 30
while True:
    try:
        sending = socket.create_connection((other, 7777), timeout=5)
        break
    except OSError:
        assert time.monotonic() < deadline
        time.sleep(0.05)
sending.sendall(f"from {me}".encode())
sending.close()
heard = server.accept()[0].makefile().read()
print(me, "heard", heard, flush=True)
pathlib.Path(f"/opt/ml/model/{me}").write_text(heard)
pathlib.Path("/opt/ml/output/data").mkdir(parents=True, exist_ok=True)
pathlib.Path("/opt/ml/output/data/same").write_text(me)
"""

ASK = """
import json, urllib.error, urllib.request
try:
    urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"], timeout=30)
except urllib.error.HTTPError as refused:
    told = json.loads(pathlib.Path("/opt/ml/input/config/resourceconfig.json").read_text())
    print("platform", refused.code, told["network_interface_name"], flush=True)
"""


def channel(name: str, uri: str, **source: Any) -> dict[str, Any]:
    return {"ChannelName": name, "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri, **source}}}


def told(platform: Platform, job: dict[str, Any]) -> dict[str, Any]:
    """What each instance printed of what it was told, by its name."""
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    lines = log_lines(platform, job["TrainingJobName"])
    seen = [json.loads(line.removeprefix("told ")) for line in lines if line.startswith("told ")]
    return {each["resources"]["current_host"]: each for each in seen}


def streams(platform: Platform, name: str) -> list[str]:
    found = platform.client("logs").describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{name}/"
    )
    return [stream["logStreamName"].split("/")[1].rsplit("-", 1)[0] for stream in found["logStreams"]]


def test_instances_reach_each_other_by_name_and_leave_one_archive(platform: Platform) -> None:
    job = run_job(platform, EXCHANGE, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert job["ResourceConfig"] == TWO
    name = job["TrainingJobName"]
    assert streams(platform, name) == ["algo-1", "algo-2"]
    lines = log_lines(platform, name)
    assert "algo-1 heard from algo-2" in lines
    assert "algo-2 heard from algo-1" in lines
    model = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert unpack(platform, model) == {"algo-1": b"from algo-2", "algo-2": b"from algo-1"}
    assert unpack(platform, model.replace("model.tar.gz", "output.tar.gz")) == {"same": b"algo-1"}
    assert any(line.startswith("Not in output.tar.gz") and line.endswith("same name: same") for line in lines)


@needs_own_networks
def test_instances_listen_on_all_their_addresses_and_reach_the_platform(platform: Platform) -> None:
    job = run_job(platform, EXCHANGE.replace("(me, 7777)", "('0.0.0.0', 7777)") + ASK, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    answers = [line for line in log_lines(platform, job["TrainingJobName"]) if line.startswith("platform ")]
    assert answers == ["platform 403 eth0"] * 2


def test_each_is_told_of_all_and_gets_its_share(platform: Platform) -> None:
    prefix = unique("shards")
    uris = [put(platform, f"{prefix}/part-{number}", "x") for number in range(5)]
    uri = uris[0].rsplit("/", 1)[0] + "/"
    job = run_job(
        platform,
        TELL,
        ResourceConfig=TWO,
        InputDataConfig=[
            channel("all", uri),
            channel("some", uri, S3DataDistributionType="ShardedByS3Key"),
            channel("one", uris[0], S3DataDistributionType="ShardedByS3Key"),
        ],
    )
    first, second = (told(platform, job)[name] for name in ("algo-1", "algo-2"))
    parts = [f"part-{number}" for number in range(5)]
    assert first["channels"] == {"all": parts, "some": parts[::2], "one": parts[:1]}
    # More instances than objects: one gets none.
    assert second["channels"] == {"all": parts, "some": parts[1::2], "one": []}
    assert first["resources"] == {
        "current_host": "algo-1",
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "hosts": ["algo-1", "algo-2"],
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1", "algo-2"],
            }
        ],
        "network_interface_name": first["resources"]["network_interface_name"],
    }
    assert "{" not in first["resources"]["network_interface_name"]
    assert json.loads(second["variables"]["SM_HOSTS"]) == ["algo-1", "algo-2"]
    assert second["variables"]["SM_CURRENT_HOST"] == "algo-2"


def test_groups_have_their_own_types_and_channels(platform: Platform) -> None:
    prefix = unique("groups")
    uris = [put(platform, f"{prefix}/part-{number}", "x") for number in range(2)]
    uri = uris[0].rsplit("/", 1)[0] + "/"
    job = run_job(
        platform,
        TELL,
        ResourceConfig=MIXED,
        InputDataConfig=[
            channel("raw", uri, InstanceGroupNames=["readers"]),
            channel("ready", uri, InstanceGroupNames=["learners"], S3DataDistributionType="ShardedByS3Key"),
        ],
    )
    assert job["ResourceConfig"] == MIXED
    seen = told(platform, job)
    types = {name: each["resources"]["current_instance_type"] for name, each in seen.items()}
    assert types == {"algo-1": "ml.c5.xlarge", "algo-2": "ml.m5.large", "algo-3": "ml.m5.large"}
    assert seen["algo-3"]["resources"]["current_group_name"] == "learners"
    assert seen["algo-1"]["resources"]["instance_groups"] == [
        {"instance_group_name": "readers", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1"]},
        {"instance_group_name": "learners", "instance_type": "ml.m5.large", "hosts": ["algo-2", "algo-3"]},
    ]
    assert seen["algo-1"]["channels"] == {"raw": ["part-0", "part-1"]}
    assert seen["algo-1"]["configured"] == ["raw"]
    assert seen["algo-2"]["channels"] == {"ready": ["part-0"]}
    assert seen["algo-3"]["channels"] == {"ready": ["part-1"]}
    assert json.loads(seen["algo-2"]["variables"]["SM_CURRENT_INSTANCE_GROUP_HOSTS"]) == ["algo-2", "algo-3"]


def test_the_built_in_algorithm_trains_one_model_on_all_shards(platform: Platform) -> None:
    prefix = unique("xgboost")
    uris = [put(platform, f"{prefix}/part-{number}", f"{number},1\n{number + 1},0\n" * 20) for number in range(2)]
    source = channel("train", uris[0].rsplit("/", 1)[0] + "/", S3DataDistributionType="ShardedByS3Key")
    request = training_request(
        platform,
        "",
        ResourceConfig=TWO,
        AlgorithmSpecification={"TrainingImage": XGBOOST, "TrainingInputMode": "File"},
        InputDataConfig=[{**source, "ContentType": "text/csv"}],
    )
    request["HyperParameters"] = {"num_round": "3", "objective": "reg:squarederror"}
    platform.client("sagemaker").create_training_job(**request)
    job = ended(platform, request["TrainingJobName"])
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert list(unpack(platform, job["ModelArtifacts"]["S3ModelArtifacts"])) == ["xgboost-model"]
    lines = log_lines(platform, job["TrainingJobName"])
    assert sum("[2]#011train-rmse" in line for line in lines) == 1
    assert sum("Train matrix has 40 rows" in line for line in lines) == 2
    assert [metric["MetricName"] for metric in job["FinalMetricDataList"]] == ["train:rmse"]


def test_one_that_fails_ends_the_job_and_is_named(platform: Platform) -> None:
    script = """
import os, sys, time
if os.environ["SM_CURRENT_HOST"] == "algo-2":
    raise ValueError("no more rows")
time.sleep(600)
"""
    began = time.monotonic()
    job = run_job(platform, script, ResourceConfig=TWO)
    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"].startswith("AlgorithmError: algo-2: ")
    assert "ValueError: no more rows" in job["FailureReason"]
    assert time.monotonic() - began < 30


def test_a_stop_reaches_all_of_them(platform: Platform) -> None:
    script = """
import os, pathlib, signal, sys, time
me = os.environ["SM_CURRENT_HOST"]
def save(*_):
    pathlib.Path(f"/opt/ml/model/{me}").write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
print("ready", flush=True)
time.sleep(600)
"""
    request = training_request(platform, script, ResourceConfig=TWO)
    sagemaker, name = platform.client("sagemaker"), request["TrainingJobName"]
    sagemaker.create_training_job(**request)
    wait_until(lambda: running(platform, name) and log_lines(platform, name).count("ready") == 2)
    sagemaker.stop_training_job(TrainingJobName=name)
    job = ended(platform, name)
    assert job["TrainingJobStatus"] == "Stopped", job.get("FailureReason")
    assert unpack(platform, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"algo-1": b"saved", "algo-2": b"saved"}


def running(platform: Platform, name: str) -> bool:
    job = platform.client("sagemaker").describe_training_job(TrainingJobName=name)
    return bool(job["SecondaryStatus"] == "Training")


def test_hosts_are_sorted_as_text() -> None:
    cluster = members({"InstanceType": "ml.m5.large", "InstanceCount": 11})
    assert resource_config(cluster[1], cluster)["hosts"][:4] == ["algo-1", "algo-10", "algo-11", "algo-2"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ResourceConfig": {**MIXED, "InstanceCount": 2, "InstanceType": "ml.m5.large"}}, "cannot be set when"),
        ({"ResourceConfig": {**MIXED, "InstanceGroups": [MIXED["InstanceGroups"][0]] * 2}}, "must be unique"),  # type: ignore[index]
        ({"ResourceConfig": {**TWO, "InstanceCount": 0}}, "at least 1"),
        ({"ResourceConfig": {**TWO, "InstanceCount": 100_000}}, "at most 512 instances"),
        (
            {"InputDataConfig": [channel("train", "s3://a/b", InstanceGroupNames=["others"])]},
            "names the instance group others",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(platform: Platform, changes: dict[str, Any], named: str) -> None:
    request = training_request(platform, "", **changes)
    with pytest.raises(ClientError, match=named):
        platform.client("sagemaker").create_training_job(**request)


def test_the_default_bucket_holds_one_object_for_each_kind_of_output(platform: Platform) -> None:
    script = "import os, pathlib; pathlib.Path('/opt/ml/model/m').write_text(os.environ['SM_CURRENT_HOST'])"
    job = run_job(platform, script, ResourceConfig=TWO)
    found = platform.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=f"out/{job['TrainingJobName']}/")
    assert [each["Key"].rsplit("/", 1)[1] for each in found["Contents"]] == ["model.tar.gz"]
