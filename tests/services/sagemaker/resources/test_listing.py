"""The List operations through boto3, with models as the plainest of resources."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import ROLE, SKLEARN

NAMES = ["b-first", "A-second", "c-third", "a-fourth"]


@pytest.fixture(scope="module")
def sagemaker(platform: Platform) -> Iterator[Any]:
    """A client in a region where there are these models and no others."""
    client = platform.client("sagemaker", region="sa-east-1")
    for name in NAMES:
        client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer={"Image": SKLEARN})
    yield client
    for name in NAMES:
        client.delete_model(ModelName=name)


def _names(answer: Any) -> list[str]:
    return [model["ModelName"] for model in answer["Models"]]


def test_the_newest_come_first_unless_asked_otherwise(sagemaker: Any) -> None:
    assert _names(sagemaker.list_models()) == NAMES[::-1]
    assert _names(sagemaker.list_models(SortOrder="Ascending")) == NAMES
    assert _names(sagemaker.list_models(SortBy="Name", SortOrder="Ascending")) == sorted(NAMES)


def test_filters_hold_together(sagemaker: Any) -> None:
    created = {model["ModelName"]: model["CreationTime"] for model in sagemaker.list_models()["Models"]}
    assert _names(sagemaker.list_models(NameContains="a-")) == ["a-fourth"]
    after = sagemaker.list_models(CreationTimeAfter=created["b-first"] + timedelta(milliseconds=1))
    assert "b-first" not in _names(after)
    assert "a-fourth" in _names(after)
    before = sagemaker.list_models(CreationTimeBefore=created["b-first"])
    assert _names(before) == []


def test_pages_follow_each_other_while_models_come(sagemaker: Any) -> None:
    first = sagemaker.list_models(MaxResults=3)
    sagemaker.create_model(ModelName="late", ExecutionRoleArn=ROLE, PrimaryContainer={"Image": SKLEARN})
    second = sagemaker.list_models(MaxResults=3, NextToken=first["NextToken"])
    sagemaker.delete_model(ModelName="late")
    assert _names(first) + _names(second) == NAMES[::-1]
    assert "NextToken" not in second


def test_a_token_of_another_listing_is_refused(sagemaker: Any) -> None:
    token = sagemaker.list_models(MaxResults=1)["NextToken"]
    for wrong in ({"NextToken": token, "SortBy": "Name"}, {"NextToken": "made-up"}):
        with pytest.raises(ClientError, match="NextToken is not valid") as error:
            sagemaker.list_models(**wrong)
        assert error.value.response["Error"]["Code"] == "ValidationException"
