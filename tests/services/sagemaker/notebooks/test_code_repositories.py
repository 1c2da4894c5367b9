from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:git-abc"
GIT = {"RepositoryUrl": "https://git.example.com/team/models.git", "Branch": "main"}


@pytest.fixture
def repository(platform: Platform) -> Any:
    sagemaker, name = platform.client("sagemaker"), unique("repository")
    sagemaker.create_code_repository(CodeRepositoryName=name, GitConfig=GIT)
    return name


def test_an_update_changes_the_secret_and_nothing_else(platform: Platform, repository: str) -> None:
    sagemaker = platform.client("sagemaker")
    before = sagemaker.describe_code_repository(CodeRepositoryName=repository)
    answer = sagemaker.update_code_repository(CodeRepositoryName=repository, GitConfig={"SecretArn": SECRET})
    after = sagemaker.describe_code_repository(CodeRepositoryName=repository)
    assert answer["CodeRepositoryArn"] == after["CodeRepositoryArn"] == before["CodeRepositoryArn"]
    assert after["GitConfig"] == {**GIT, "SecretArn": SECRET}
    assert after["CreationTime"] == before["CreationTime"] <= after["LastModifiedTime"]


def test_a_summary_tells_where_the_repository_is(platform: Platform, repository: str) -> None:
    (found,) = platform.client("sagemaker").list_code_repositories(NameContains=repository)["CodeRepositorySummaryList"]
    assert found["GitConfig"] == GIT


def test_only_https_addresses_are_taken(platform: Platform) -> None:
    with pytest.raises(ClientError, match="repositoryUrl"):
        platform.client("sagemaker").create_code_repository(
            CodeRepositoryName=unique("repository"), GitConfig={"RepositoryUrl": "git@example.com:team/models.git"}
        )
