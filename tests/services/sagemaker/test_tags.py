"""AddTags, ListTags, DeleteTags and the List operations through boto3, on models as the plainest resource."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import ROLE, SKLEARN

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def sagemaker(platform: Platform) -> Any:
    """A region of its own, where no other test makes models."""
    return platform.client("sagemaker", region="ap-south-1")


@pytest.fixture
def model(sagemaker: Any) -> str:
    name = f"tagged-{next(NUMBERS)}"
    answer = sagemaker.create_model(
        ModelName=name,
        ExecutionRoleArn=ROLE,
        PrimaryContainer={"Image": SKLEARN},
        Tags=[{"Key": "team", "Value": "blau"}],
    )
    arn: str = answer["ModelArn"]
    return arn


def _tags(sagemaker: Any, arn: str) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def test_tags_merge_and_go(sagemaker: Any, model: str) -> None:
    tags = [{"Key": "team", "Value": "grün"}, {"Key": "empty", "Value": ""}]
    answer = sagemaker.add_tags(ResourceArn=model, Tags=tags)
    assert {tag["Key"]: tag["Value"] for tag in answer["Tags"]} == {"team": "grün", "empty": ""}
    sagemaker.delete_tags(ResourceArn=model, TagKeys=["empty", "never"])
    assert _tags(sagemaker, model) == {"team": "grün"}


def test_a_resource_has_fifty_tags_at_most(sagemaker: Any, model: str) -> None:
    sagemaker.add_tags(ResourceArn=model, Tags=[{"Key": f"k{n}", "Value": ""} for n in range(49)])
    with pytest.raises(ClientError, match="at most 50 tags"):
        sagemaker.add_tags(ResourceArn=model, Tags=[{"Key": "one-more", "Value": ""}])
    pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=model)
    assert len([tag for page in pages for tag in page["Tags"]]) == 50


@pytest.mark.parametrize(
    ("keys", "message"), [(["aws:mine"], "reserved"), (["AWS:mine"], "reserved"), (["a", "a"], "Duplicate tag keys")]
)
def test_keys_that_cannot_be_are_refused(sagemaker: Any, model: str, keys: list[str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        sagemaker.add_tags(ResourceArn=model, Tags=[{"Key": key, "Value": ""} for key in keys])
    assert _tags(sagemaker, model) == {"team": "blau"}


def test_what_is_not_there_or_elsewhere_has_no_tags(platform: Platform, sagemaker: Any, model: str) -> None:
    missing = f"{model}-not"
    calls: list[Callable[[], Any]] = [
        lambda: sagemaker.list_tags(ResourceArn=missing),
        lambda: sagemaker.add_tags(ResourceArn=missing, Tags=[{"Key": "a", "Value": ""}]),
        lambda: sagemaker.delete_tags(ResourceArn=missing, TagKeys=["a"]),
        lambda: platform.client("sagemaker", region="eu-west-1").list_tags(ResourceArn=model),
    ]
    for call in calls:
        with pytest.raises(ClientError, match="Requested resource not found"):
            call()
