"""What becomes of replicas that hang, die or are no longer wanted."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.control.house import House
from clary.instance.spec import InstanceSpec
from clary.records.record import Record, Scope, State
from clary.services.sagemaker.hosting import lifecycle, replicas
from clary.services.sagemaker.hosting.deployment import replicas_of
from clary.services.sagemaker.hosting.kinds import CREATING, ENDPOINT, FAILED, IN_SERVICE, UPDATING
from clary.services.sagemaker.hosting.stages import begin
from tests.platform import Platform
from tests.programs import ROLE, SKLEARN, put, tar_gz, unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SLOW = """
import time

def model_fn(model_dir):
    return open(model_dir + "/word.txt").read()

def input_fn(body, content_type):
    return body

def predict_fn(data, model):
    time.sleep(1.5)
    return model

def output_fn(prediction, accept):
    return prediction, "text/plain"
"""
LISTING = """
import os

def model_fn(model_dir):
    return sorted(os.listdir(model_dir))

def predict_fn(data, model):
    return model
"""
HANGS = ["/bin/sleep", "600"]
DIES = ["/bin/false"]


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    yield made
    if not made.gone():
        made.delete()


def deployed(house: House, state: State, command: list[str], serving: bool = False) -> Record:
    """An endpoint of one replica that runs `command` in place of a model server."""
    variant = {
        "VariantName": "A",
        "ModelName": "m",
        "InstanceType": "ml.m5.large",
        "DesiredInstanceCount": 1,
        "DesiredWeight": 1.0,
    }
    deployment = {"Number": 1, "ConfigName": "c", "Variants": [variant], "Models": {"m": container(SKLEARN)}}
    document = {"Deployment": deployment, "Replicas": [], "Retiring": [], "Serial": 1}
    record = house.records.create(ENDPOINT, Scope("123456789012", "us-east-1"), "e", "arn:e", document, state)
    replica: dict[str, Any] = {"Id": f"{record.id}-1", "Variant": "A", "Deployment": 1, "Serving": serving}
    house.engine.start([InstanceSpec(replica["Id"], command, serves=True)])
    return house.records.update(record, {**document, "Replicas": [replica]})


def container(image: str) -> dict[str, Any]:
    return {"PrimaryContainer": {"Image": image}}


def replaced(reconciler: lifecycle.EndpointReconciler, house: House, record: Record) -> Record:
    """The endpoint once its first replica has retired and another was listed in its place."""

    def look() -> Record | None:
        reconciler.step(record.id)
        seen = house.records.load(record.id)
        listed = [replica["Id"] for replica in replicas_of(seen.document, 1)]
        another = seen.document["Serial"] > record.document["Serial"]
        return seen if another and f"{record.id}-1" not in listed else None

    found: Record = wait_until(look)
    return found


def test_a_replica_in_service_that_hangs_at_start_is_replaced(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "STARTUP_TIMEOUT", 0.1)
    record = deployed(house, IN_SERVICE, HANGS)
    seen = replaced(lifecycle.EndpointReconciler(house), house, record)
    assert seen.state == IN_SERVICE
    assert f"{record.id}-1" in [replica["Id"] for replica in seen.document["Retiring"]]


def test_a_new_endpoint_that_hangs_at_start_fails(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replicas, "STARTUP_TIMEOUT", 0.1)
    record = deployed(house, CREATING, HANGS)
    reconciler = lifecycle.EndpointReconciler(house)
    wait_until(lambda: reconciler.step(record.id) is None)
    failed = house.records.load(record.id)
    assert failed.state == FAILED
    assert "did not pass the ping health check" in failed.document["FailureReason"]
    assert not list(house.engine.instances())


def test_a_serving_replica_is_not_given_up_for_one_missed_ping(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform that was started again has seen no answer of it yet."""
    monkeypatch.setattr(replicas, "STARTUP_TIMEOUT", -1.0)
    record = deployed(house, IN_SERVICE, HANGS, serving=True)
    wait_until(lambda: house.engine.poll(f"{record.id}-1").phase == "Running")
    lifecycle.EndpointReconciler(house).step(record.id)
    assert [replica["Id"] for replica in house.records.load(record.id).document["Replicas"]] == [f"{record.id}-1"]


def test_what_serves_is_replaced_during_an_update(house: House) -> None:
    record = deployed(house, UPDATING, DIES, serving=True)
    old = record.document["Deployment"]
    other = {**old["Variants"][0], "VariantName": "B", "ContainerStartupHealthCheckTimeoutInSeconds": 600}
    new = {**old, "Number": 2, "Variants": [other]}
    trial: dict[str, Any] = {"Id": f"{record.id}-2", "Variant": "B", "Deployment": 2, "Serving": False}
    house.engine.start([InstanceSpec(trial["Id"], HANGS, serves=True)])
    replicas = [*record.document["Replicas"], trial]
    update = {"Deployment": new, "Previous": old, "Replicas": replicas, "Serial": 2, "Rollout": begin({}, 0.0)}
    record = house.records.update(record, {**record.document, **update})
    seen = replaced(lifecycle.EndpointReconciler(house), house, record)
    assert seen.state == UPDATING
    assert trial["Id"] in [replica["Id"] for replica in seen.document["Replicas"]]


def test_requests_under_way_are_answered_when_an_update_stops_their_replica(endpoint: Endpoint) -> None:
    endpoint.create(endpoint.config(("A", endpoint.model("old", script=SLOW), 1.0)))
    new = endpoint.config(("A", endpoint.model("new", script=SLOW), 1.0))
    answers: list[str] = []
    switched = threading.Event()

    def keep_asking() -> None:
        while not switched.is_set():
            answers.append(endpoint.ask("x"))

    with ThreadPoolExecutor(3) as askers:
        asking = [askers.submit(keep_asking) for _ in range(3)]
        endpoint.sagemaker.update_endpoint(EndpointName=endpoint.name, EndpointConfigName=new)
        wait_until(lambda: "new" in answers or any(one.done() for one in asking))
        switched.set()
        for one in asking:
            one.result()
    assert {"old", "new"} <= set(answers)


def test_a_model_of_one_unpacked_object_is_that_object_only(endpoint: Endpoint) -> None:
    platform, name = endpoint.platform, unique("model")
    weights = put(platform, f"{name}/weights", b"1")
    put(platform, f"{name}/weights.old", b"0")
    script = put(platform, f"{name}.tar.gz", tar_gz({"inference.py": LISTING}))
    source = {"S3Uri": weights, "S3DataType": "S3Object", "CompressionType": "None"}
    environment = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": script}
    endpoint.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": SKLEARN, "ModelDataSource": {"S3DataSource": source}, "Environment": environment},
        ExecutionRoleArn=ROLE,
    )
    assert endpoint.create(endpoint.config(("A", name, 1.0)))["EndpointStatus"] == "InService"
    answer = endpoint.runtime.invoke_endpoint(
        EndpointName=endpoint.name, Body=b"[]", ContentType="application/json", Accept="application/json"
    )
    assert answer["Body"].read() == b'["weights"]'


def test_a_model_that_is_ambiguous_is_refused(platform: Platform) -> None:
    sagemaker, one = platform.client("sagemaker"), {"Image": SKLEARN}
    with pytest.raises(ClientError, match="not both"):
        sagemaker.create_model(ModelName=unique("m"), PrimaryContainer=one, Containers=[one], ExecutionRoleArn=ROLE)
    source = {"S3Uri": "s3://b/m/", "S3DataType": "S3Prefix", "CompressionType": "None", "ManifestS3Uri": "s3://b/x"}
    with pytest.raises(ClientError, match="ManifestS3Uri"):
        sagemaker.create_model(
            ModelName=unique("m"),
            PrimaryContainer={**one, "ModelDataSource": {"S3DataSource": source}},
            ExecutionRoleArn=ROLE,
        )
