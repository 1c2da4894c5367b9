"""Batch transform and multi-model endpoints, with each algorithm: they answer as the model itself does."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from clary.algorithms.kit.channels import CSV
from clary.algorithms.kit.formats import JSONLINES
from tests.algorithms.cases import SERVED
from tests.algorithms.cases.case import Case, Form
from tests.algorithms.conftest import FindForge, Train
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, put, tar_gz, unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

MODELS = ("one.tar.gz", "two.tar.gz")


class Hosted:
    """Two models of an algorithm below a prefix, and what they say themselves."""

    def __init__(self, platform: Platform, case: Case, prefix: str, own: Sequence[Sequence[bytes]]) -> None:
        self.platform, self.case, self.prefix = platform, case, prefix
        self.own = own
        """Of each model the answers to all records of all forms."""
        self.image = f"382416733822.dkr.ecr.us-east-1.amazonaws.com/{case.name}:1"

    def create_model(self, **container: Any) -> str:
        name = unique(self.case.name)
        self.platform.client("sagemaker").create_model(
            ModelName=name, PrimaryContainer={"Image": self.image, **container}, ExecutionRoleArn=ROLE
        )
        return name


@pytest.fixture(scope="module", params=SERVED)
def hosted(request: pytest.FixtureRequest, platform: Platform, forge_of: FindForge, trained: Train) -> Hosted:
    case: Case = request.param
    prefix = unique(case.name)
    records = [(form.content_type, form.accept, record) for form in case.forms for record in form.records]
    own = []
    for name, root in zip(MODELS, trained(case), strict=True):
        put(platform, f"{prefix}/{name}", packed(root / "model"))
        answers = forge_of(case.name).ask(case.name, root, records)
        assert [status for status, _ in answers] == [200] * len(records), answers
        own.append([body for _, body in answers])
    return Hosted(platform, case, f"s3://{BUCKET}/{prefix}", own)


def packed(directory: Path) -> bytes:
    return tar_gz({path.name: path.read_bytes() for path in sorted(directory.iterdir())})


def test_batch_transform(hosted: Hosted) -> None:
    model = hosted.create_model(ModelDataUrl=f"{hosted.prefix}/{MODELS[0]}")
    jobs = [start(hosted, model, form) for form in hosted.case.forms]
    own = iter(hosted.own[0])
    for form, name in zip(hosted.case.forms, jobs, strict=True):
        job = ended(hosted.platform, name)
        assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
        outputs = transformed(hosted.platform, job)
        expected = [next(own) for _ in form.records]
        assert_alike(form, outputs, expected if form.split == "None" else [b"".join(expected)])


def start(hosted: Hosted, model: str, form: Form) -> str:
    """A transform of all records: in one object, or where each is one in an object of its own."""
    name = unique("transform")
    if form.split == "None":
        objects = {str(number): record for number, record in enumerate(form.records)}
    else:
        objects = {"all": (b"\n" if form.split == "Line" else b"").join(form.records)}
    for key, body in objects.items():
        put(hosted.platform, f"{name}/in/{key}", body)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in/"}
    hosted.platform.client("sagemaker").create_transform_job(
        TransformJobName=name,
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": form.content_type,
            "SplitType": form.split,
        },
        TransformOutput={
            "S3OutputPath": f"s3://{BUCKET}/{name}/out",
            "Accept": form.accept,
            "AssembleWith": "Line" if form.split == "Line" else "None",
        },
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    return name


def ended(platform: Platform, name: str) -> dict[str, Any]:
    sagemaker = platform.client("sagemaker")

    def look() -> dict[str, Any] | None:
        job: dict[str, Any] = sagemaker.describe_transform_job(TransformJobName=name)
        return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job: dict[str, Any] = wait_until(look, 120)
    return job


def transformed(platform: Platform, job: dict[str, Any]) -> list[bytes]:
    s3, prefix = platform.client("s3"), f"{job['TransformJobName']}/out/"
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix)["Contents"]
    return [s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in found]


@pytest.fixture
def many(hosted: Hosted) -> Iterator[Endpoint]:
    """An endpoint of all models below the prefix."""
    endpoint = Endpoint(hosted.platform)
    model = hosted.create_model(Mode="MultiModel", ModelDataUrl=f"{hosted.prefix}/")
    described = endpoint.create(endpoint.config(("all", model, 1.0)))
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    yield endpoint
    endpoint.delete()


def test_a_multi_model_endpoint(hosted: Hosted, many: Endpoint) -> None:
    first = hosted.case.forms[0]
    assert hosted.own[0] != hosted.own[1]
    for name, own in zip(MODELS, hosted.own, strict=True):
        expected = iter(own)
        for form in hosted.case.forms:
            for record in form.records:
                assert_alike(form, [ask(many, name, form.content_type, record, form.accept)], [next(expected)])
    for refusal in hosted.case.refusals:
        with pytest.raises(many.runtime.exceptions.ModelError) as raised:
            ask(many, MODELS[0], refusal.content_type, refusal.body, refusal.accept)
        assert raised.value.response["OriginalStatusCode"] == refusal.status
        assert refusal.words in raised.value.response["OriginalMessage"]
    again = ask(many, MODELS[0], first.content_type, first.records[0], first.accept)
    assert_alike(first, [again], [hosted.own[0][0]])


def ask(endpoint: Endpoint, model: str, content_type: str, body: bytes, accept: str) -> bytes:
    answer = endpoint.runtime.invoke_endpoint(
        EndpointName=endpoint.name, TargetModel=model, ContentType=content_type, Body=body, Accept=accept
    )
    found: bytes = answer["Body"].read()
    return found


def assert_alike(form: Form, answers: list[bytes], expected: list[bytes]) -> None:
    """The same but for how numbers are rounded: several rows are not summed up in the order that one is."""
    if form.accept == JSONLINES:
        assert [[*map(json.loads, each.splitlines())] for each in answers] == [
            [close(json.loads(line)) for line in each.splitlines()] for each in expected
        ]
    elif form.accept == CSV:
        for answer, own in zip(answers, expected, strict=True):
            assert np.loadtxt(answer.splitlines(), delimiter=",") == pytest.approx(
                np.loadtxt(own.splitlines(), delimiter=","), rel=1e-4, abs=1e-4
            )
    else:
        assert answers == expected


def close(value: Any) -> Any:
    """What is to be compared with a value of JSON."""
    if isinstance(value, dict):
        return {name: close(each) for name, each in value.items()}
    if isinstance(value, list):
        return [close(each) for each in value]
    return pytest.approx(value, rel=1e-4, abs=1e-4) if isinstance(value, float) else value
