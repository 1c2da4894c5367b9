"""The model registry through boto3: versions, approval, deployment."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import ROLE, SKLEARN, put, tar_gz, unique
from tests.services.sagemaker.hosting.test_endpoints import INFERENCE, Endpoint

SPECIFICATION = {
    "Containers": [{"Image": SKLEARN, "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}


@pytest.fixture
def sagemaker(platform: Platform) -> Any:
    return platform.client("sagemaker")


@pytest.fixture
def group(sagemaker: Any) -> str:
    name = unique("group")
    sagemaker.create_model_package_group(ModelPackageGroupName=name)
    return name


@pytest.fixture
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    yield made
    if not made.gone():
        made.delete()


def register(sagemaker: Any, group: str, **request: Any) -> str:
    request = {"InferenceSpecification": SPECIFICATION, **request}
    arn: str = sagemaker.create_model_package(ModelPackageGroupName=group, **request)["ModelPackageArn"]
    return arn


def test_versions_are_counted_and_no_number_is_given_twice(sagemaker: Any, group: str) -> None:
    arns = [register(sagemaker, group) for _ in range(2)]
    assert [arn.rpartition("/")[2] for arn in arns] == ["1", "2"]
    sagemaker.delete_model_package(ModelPackageName=arns[1])
    assert register(sagemaker, group).endswith(f"model-package/{group}/3")
    listed = sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
    assert [summary["ModelPackageVersion"] for summary in listed] == [1, 3]
    assert all("ModelPackageName" not in summary for summary in listed)


def test_a_token_registers_once(sagemaker: Any, group: str) -> None:
    assert register(sagemaker, group, ClientToken="t" * 8) == register(sagemaker, group, ClientToken="t" * 8)
    assert register(sagemaker, group, ClientToken="u" * 8).endswith("/2")


def test_a_version_waits_for_approval(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group, CustomerMetadataProperties={"team": "blue", "stage": "trial"})
    assert sagemaker.describe_model_package(ModelPackageName=arn)["ModelApprovalStatus"] == "PendingManualApproval"
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Approved",
        ApprovalDescription="good enough",
        CustomerMetadataProperties={"stage": "live"},
        CustomerMetadataPropertiesToRemove=["team"],
    )
    described = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Approved", "good enough")
    assert described["CustomerMetadataProperties"] == {"stage": "live"}
    assert described["ModelPackageStatus"] == "Completed"
    for status, found in (("Approved", [1]), ("Rejected", [])):
        listed = sagemaker.list_model_packages(ModelPackageGroupName=group, ModelApprovalStatus=status)
        assert [summary["ModelPackageVersion"] for summary in listed["ModelPackageSummaryList"]] == found


def test_many_are_described_at_once(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    answer = sagemaker.batch_describe_model_package(ModelPackageArnList=[arn, arn.replace("/1", "/9")])
    assert answer["ModelPackageSummaries"][arn]["InferenceSpecification"] == SPECIFICATION
    (error,) = answer["BatchDescribeModelPackageErrorMap"].values()
    assert "does not exist" in error["ErrorResponse"]


def test_a_group_with_versions_stays(sagemaker: Any, group: str) -> None:
    arn = register(sagemaker, group)
    with pytest.raises(sagemaker.exceptions.ConflictException, match="has versions"):
        sagemaker.delete_model_package_group(ModelPackageGroupName=group)
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName=group)


def test_one_without_a_group_has_a_name(sagemaker: Any) -> None:
    name = unique("package")
    sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=SPECIFICATION)
    described = sagemaker.describe_model_package(ModelPackageName=name)
    assert described["ModelPackageName"] == name
    assert "ModelApprovalStatus" not in described
    listed = sagemaker.list_model_packages(NameContains=name)["ModelPackageSummaryList"]
    assert [summary["ModelPackageName"] for summary in listed] == [name]
    with pytest.raises(ClientError, match="already exists"):
        sagemaker.create_model_package(ModelPackageName=name, InferenceSpecification=SPECIFICATION)


@pytest.mark.parametrize(
    ("request_", "why"),
    [
        ({}, "Missing ARN"),
        ({"ModelPackageName": "a", "ModelPackageGroupName": "b"}, "Both ModelPackageName and ModelPackageGroupName"),
        ({"ModelPackageName": "a"}, "needs an InferenceSpecification"),
        ({"ModelPackageGroupName": "no-such-group"}, "ModelPackageGroup .* does not exist"),
    ],
)
def test_what_makes_no_package_is_refused(sagemaker: Any, request_: dict[str, Any], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        sagemaker.create_model_package(**request_)


def test_an_approved_version_is_deployed(platform: Platform, sagemaker: Any, group: str, endpoint: Endpoint) -> None:
    data = put(platform, f"{group}/model.tar.gz", tar_gz({"word.txt": "packed", "code/inference.py": INFERENCE}))
    packed = {
        "Image": SKLEARN,
        "ModelDataUrl": data,
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        },
    }
    arn = register(sagemaker, group, InferenceSpecification={**SPECIFICATION, "Containers": [packed]})
    model = {"ModelName": unique("model"), "PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": ROLE}
    with pytest.raises(ClientError, match="its approval status is PendingManualApproval"):
        sagemaker.create_model(**model)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**model)
    created = endpoint.create(endpoint.config(("A", model["ModelName"], 1.0)))
    assert created["EndpointStatus"] == "InService"
    # The endpoint keeps what it deployed.
    sagemaker.delete_model_package(ModelPackageName=arn)
    assert endpoint.ask("x") == "packed:x"
