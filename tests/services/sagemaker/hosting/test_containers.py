"""Models of several containers, and containers of many models, through boto3."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.engines.capability import sandbox_works
from tests.platform import Platform
from tests.programs import ROLE, SKLEARN, put, tar_gz, unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SCRIPT = """
import os

def model_fn(model_dir):
    print("loads", os.path.basename(os.path.dirname(model_dir)))
    return open(model_dir + "/word.txt").read()

def input_fn(body, content_type):
    return body.decode() if isinstance(body, bytes) else body, content_type

def predict_fn(data, model):
    text, content_type = data
    if text == "write":
        open("/opt/ml/models/mine", "w")
    if text == f"{model} fails":
        raise ValueError(f"{model} cannot predict this")
    return f"{text} -{content_type}-> {model}"

def output_fn(prediction, accept):
    return f"{prediction} -{accept}->", "text/css" if accept == "*/*" else accept
"""
CODE = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}


def container(platform: Platform, word: str, **more: Any) -> dict[str, Any]:
    packed = tar_gz({"word.txt": word, "code/inference.py": SCRIPT})
    location = put(platform, f"{unique(word)}/model.tar.gz", packed)
    environment = {**CODE, "SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/html"}
    return {"Image": SKLEARN, "ModelDataUrl": location, "Environment": environment, **more}


def refused(act: Any, **request: Any) -> str:
    with pytest.raises(ClientError) as raised:
        act(**request)
    return str(raised.value)


def test_a_pipeline_and_containers_that_are_called_one_by_one(platform: Platform) -> None:
    endpoint = Endpoint(platform)
    containers = [container(platform, word, ContainerHostname=word) for word in ("first", "second")]
    names = {mode: unique("model") for mode in ("Serial", "Direct")}
    package = endpoint.sagemaker.create_model_package(
        ModelPackageName=unique("package"), InferenceSpecification={"Containers": containers}
    )["ModelPackageArn"]
    for mode, given in (("Serial", [{"ModelPackageName": package}]), ("Direct", containers)):
        execution = {"InferenceExecutionConfig": {"Mode": mode}, "ExecutionRoleArn": ROLE}
        endpoint.sagemaker.create_model(ModelName=names[mode], Containers=given, **execution)
    described = endpoint.sagemaker.describe_model(ModelName=names["Direct"])
    assert [each["ContainerHostname"] for each in described["Containers"]] == ["first", "second"]
    made = endpoint.create(endpoint.config(("chain", names["Serial"], 1.0), ("apart", names["Direct"], 0.0)))
    assert made["EndpointStatus"] == "InService", made.get("FailureReason")
    assert len(made["ProductionVariants"][0]["DeployedImages"]) == 2

    # The first container is not told what the caller accepts; its content type is the second's.
    passed = "hi -text/plain-> first -text/html-> -text/html-> second -text/xml->"
    assert endpoint.ask("hi", Accept="text/xml", TargetVariant="chain") == passed
    streamed = endpoint.runtime.invoke_endpoint_with_response_stream(
        EndpointName=endpoint.name, Body="hi", ContentType="text/plain", Accept="text/xml", TargetVariant="chain"
    )
    assert b"".join(event["PayloadPart"]["Bytes"] for event in streamed["Body"]).decode() == passed
    error = refused(endpoint.ask, body="first fails", TargetVariant="chain")
    assert "(ModelError)" in error
    assert 'server error (500) from first with message "first cannot predict this' in error
    alone = {"TargetVariant": "apart", "Accept": "text/xml"}
    assert endpoint.ask("hi", TargetContainerHostname="second", **alone) == "hi -text/plain-> second -text/xml->"
    assert "no container third" in refused(endpoint.ask, body="hi", TargetContainerHostname="third", **alone)
    assert "has to give a TargetContainerHostname" in refused(endpoint.ask, body="hi", **alone)
    wrong = refused(endpoint.ask, body="hi", TargetVariant="chain", TargetContainerHostname="first")
    assert "(ValidationError)" in wrong
    streams = platform.client("logs").describe_log_streams(logGroupName=f"/aws/sagemaker/Endpoints/{endpoint.name}")
    ends = sorted(
        (name.split("/")[0], name.split("/")[2]) for name in (s["logStreamName"] for s in streams["logStreams"])
    )
    assert ends == [("apart", "first"), ("apart", "second"), ("chain", "first"), ("chain", "second")]
    endpoint.delete()


@pytest.fixture(scope="module")
def many(platform: Platform) -> Iterator[Endpoint]:
    """An endpoint of many models, of which two at most are loaded at once, and two of which are there."""
    endpoint, name = Endpoint(platform), unique("many")
    for word in ("one", "two"):
        put_model(platform, endpoint.name, word)
    code = put(platform, f"{name}/code.tar.gz", tar_gz({"inference.py": SCRIPT}))
    endpoint.sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={
            "Image": SKLEARN,
            "Mode": "MultiModel",
            "ModelDataUrl": put_model(platform, endpoint.name, "one").removesuffix("one.tar.gz"),
            "MultiModelConfig": {"ModelCacheSetting": "Enabled"},
            "Environment": {**CODE, "SAGEMAKER_SUBMIT_DIRECTORY": code, "CLARY_MOST_LOADED_MODELS": "2"},
        },
        ExecutionRoleArn=ROLE,
    )
    described = endpoint.create(endpoint.config(("all", name, 1.0)))
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    yield endpoint
    endpoint.delete()


def put_model(platform: Platform, prefix: str, word: str) -> str:
    return put(platform, f"{prefix}/{word}.tar.gz", tar_gz({"word.txt": word}))


def loads(endpoint: Endpoint) -> int:
    group = f"/aws/sagemaker/Endpoints/{endpoint.name}"
    events = endpoint.platform.client("logs").filter_log_events(logGroupName=group, filterPattern="loads")["events"]
    return len(events)


def test_models_come_when_they_are_asked_for_and_make_room(many: Endpoint) -> None:
    def ask(word: str) -> str:
        return many.ask("hi", TargetModel=f"{word}.tar.gz", Accept="text/xml").split()[2]

    answers: list[str] = []
    callers = [threading.Thread(target=lambda: answers.append(ask("one"))) for _ in range(6)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == ["one"] * 6
    assert [ask(word) for word in ("two", "one", "two")] == ["two", "one", "two"]
    wait_until(lambda: loads(many) == 2)
    put_model(many.platform, many.name, "three")
    assert [ask(word) for word in ("three", "two", "one", "one")] == ["three", "two", "one", "one"]
    # "one" made room for "three", which made room for "one".
    wait_until(lambda: loads(many) == 4)
    assert "one fails" not in answers
    failed = refused(many.ask, body="one fails", TargetModel="one.tar.gz")
    assert "one cannot predict this" in failed


@pytest.mark.skipif(not sandbox_works(), reason="this machine refuses a sandbox")
def test_a_program_cannot_write_where_its_models_are_unpacked(many: Endpoint) -> None:
    assert "Read-only file system" in refused(many.ask, body="write", TargetModel="two.tar.gz")


def test_what_is_no_model_of_the_endpoint_is_told(many: Endpoint) -> None:
    missing = refused(many.ask, body="hi", TargetModel="none.tar.gz")
    assert "(ValidationError)" in missing
    assert f"key: {many.name}/none.tar.gz" in missing
    assert "no name below a prefix" in refused(many.ask, body="hi", TargetModel="../one.tar.gz")
    assert "has to give a TargetModel" in refused(many.ask, body="hi")
    put(many.platform, f"{many.name}/bad.tar.gz", b"no archive")
    assert "(ModelError)" in refused(many.ask, body="hi", TargetModel="bad.tar.gz")
    put(many.platform, f"{many.name}/empty.tar.gz", tar_gz({"other.txt": "no word"}))
    assert "FileNotFoundError" in refused(many.ask, body="hi", TargetModel="empty.tar.gz")


def test_models_that_make_no_sense_are_refused(platform: Platform) -> None:
    create = platform.client("sagemaker").create_model
    one, many = container(platform, "one"), {"Image": SKLEARN, "Mode": "MultiModel", "ModelDataUrl": "s3://b/p/"}
    common = {"ModelName": unique("model"), "ExecutionRoleArn": ROLE}
    direct = {"InferenceExecutionConfig": {"Mode": "Direct"}}
    assert "More than one container in MultiModel mode" in refused(create, Containers=[many, many], **common)
    assert "ContainerHostname" in refused(create, Containers=[one, one], **direct, **common)
    assert "ContainerHostname" in refused(create, Containers=[one, {**one, "ContainerHostname": "x"}], **common)
    assert "needs a ModelDataUrl" in refused(
        create, PrimaryContainer={"Image": SKLEARN, "Mode": "MultiModel"}, **common
    )
    setting = {**one, "MultiModelConfig": {"ModelCacheSetting": "Disabled"}}
    assert "MultiModelConfig is for" in refused(create, PrimaryContainer=setting, **common)
