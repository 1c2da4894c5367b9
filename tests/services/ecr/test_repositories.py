"""Repositories through boto3."""

import base64
import json
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]}


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    code: str = error.value.response["Error"]["Code"]
    return code


def test_a_repository_is_created_described_and_deleted(ecr: Any, platform: Platform) -> None:
    made = ecr.create_repository(
        repositoryName="life/cycle",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": "alias/own"},
        tags=[{"Key": "team", "Value": "ml"}],
    )["repository"]
    assert made["repositoryArn"] == "arn:aws:ecr:us-east-1:123456789012:repository/life/cycle"
    assert made["repositoryUri"] == f"{urlsplit(platform.url).netloc}/life/cycle"
    assert made["registryId"] == "123456789012"
    assert made["imageTagMutability"] == "IMMUTABLE"
    assert made["imageScanningConfiguration"] == {"scanOnPush": True}
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": "alias/own"}
    assert abs(made["createdAt"].timestamp() - time.time()) < 60
    with pytest.raises(ecr.exceptions.RepositoryAlreadyExistsException, match="'life/cycle' already exists in"):
        ecr.create_repository(repositoryName="life/cycle")
    assert ecr.describe_repositories(repositoryNames=["life/cycle"])["repositories"] == [made]
    assert ecr.delete_repository(repositoryName="life/cycle")["repository"] == made
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException, match="with name 'life/cycle' does not exist"):
        ecr.describe_repositories(repositoryNames=["life/cycle"])
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.delete_repository(repositoryName="life/cycle")


@pytest.mark.parametrize("name", ["UPPER", "a/../b", "/a", "a//b", "-a", "a" * 257])
def test_a_name_that_is_none_is_refused(ecr: Any, name: str) -> None:
    with pytest.raises(ClientError) as refused:
        ecr.create_repository(repositoryName=name)
    assert code_of(refused) == "InvalidParameterException"


def test_repositories_are_listed_a_page_at_a_time_and_by_region(ecr: Any, platform: Platform) -> None:
    names = [f"pages/{number}" for number in range(5)]
    for name in names:
        ecr.create_repository(repositoryName=name)
    try:
        paginator = ecr.get_paginator("describe_repositories")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
        listed = [each["repositoryName"] for page in pages for each in page["repositories"]]
        assert len(pages) > 2
        assert [name for name in listed if name.startswith("pages/")] == names
        assert platform.client("ecr", "eu-central-1").describe_repositories()["repositories"] == []
        assert ecr.describe_repositories(registryId="999999999999")["repositories"] == []
        with pytest.raises(ClientError) as refused:
            ecr.describe_repositories(nextToken="nonsense")
        assert code_of(refused) == "InvalidParameterException"
    finally:
        for name in names:
            ecr.delete_repository(repositoryName=name)


def test_the_log_in_is_good_for_twelve_hours(ecr: Any, platform: Platform) -> None:
    (data,) = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    assert (user, ":" in password, data["proxyEndpoint"]) == ("AWS", False, platform.url)
    assert data["expiresAt"].timestamp() == pytest.approx(time.time() + 12 * 3600, abs=120)


def test_what_is_kept_of_a_repository(ecr: Any, repository: str) -> None:
    with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.get_repository_policy(repositoryName=repository)
    ecr.set_repository_policy(repositoryName=repository, policyText=json.dumps(POLICY))
    assert json.loads(ecr.get_repository_policy(repositoryName=repository)["policyText"]) == POLICY
    with pytest.raises(ecr.exceptions.InvalidParameterException):
        ecr.set_repository_policy(repositoryName=repository, policyText="{}")
    ecr.delete_repository_policy(repositoryName=repository)
    with pytest.raises(ecr.exceptions.RepositoryPolicyNotFoundException):
        ecr.delete_repository_policy(repositoryName=repository)
    ecr.put_image_scanning_configuration(repositoryName=repository, imageScanningConfiguration={"scanOnPush": True})
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]
    ecr.put_image_tag_mutability(
        repositoryName=repository,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )
    (told,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    assert told["imageScanningConfiguration"] == {"scanOnPush": True}
    assert told["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert told["imageTagMutabilityExclusionFilters"] == filters


def test_tags_of_a_repository(ecr: Any, repository: str) -> None:
    (told,) = ecr.describe_repositories(repositoryNames=[repository])["repositories"]
    arn = told["repositoryArn"]
    ecr.tag_resource(resourceArn=arn, tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    ecr.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "b", "Value": "2"}]
    with pytest.raises(ecr.exceptions.RepositoryNotFoundException):
        ecr.list_tags_for_resource(resourceArn=f"{arn}-other")


def test_what_is_not_built_is_named(ecr: Any) -> None:
    with pytest.raises(ClientError, match="StartImageScan of ecr is not built in Clary yet"):
        ecr.start_image_scan(repositoryName="any/thing", imageId={"imageTag": "v1"})
