"""STS through boto3: who one is, and temporary credentials that really sign."""

import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

ROLE = "arn:aws:iam::123456789012:role/team/Visitor"


def _client_with(platform: Platform, service: str, credentials: dict[str, str]) -> Any:
    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=platform.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def test_the_platforms_keys_are_a_session_of_a_role_that_is_there(platform: Platform) -> None:
    identity = platform.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert identity["Arn"] == "arn:aws:sts::123456789012:assumed-role/AmazonSageMaker-ExecutionRole/clary"
    role = platform.client("iam").get_role(RoleName="AmazonSageMaker-ExecutionRole")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole"
    assert identity["UserId"] == f"{role['RoleId']}:clary"


def test_an_assumed_role_calls_in_its_own_name(platform: Platform) -> None:
    answer = platform.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me@work", DurationSeconds=900)
    arn = "arn:aws:sts::123456789012:assumed-role/Visitor/me@work"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert answer["Credentials"]["Expiration"].timestamp() == pytest.approx(time.time() + 900, abs=30)
    identity = _client_with(platform, "sts", answer["Credentials"]).get_caller_identity()
    assert identity["Arn"] == arn
    assert identity["UserId"] == answer["AssumedRoleUser"]["AssumedRoleId"]
    assert platform.client("iam").get_role(RoleName="Visitor")["Role"]["Arn"] == ROLE


def test_a_role_lends_itself_no_longer_than_it_may(platform: Platform) -> None:
    with pytest.raises(ClientError, match="exceeds the MaxSessionDuration set for this role"):
        platform.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me", DurationSeconds=3601)


def test_a_role_of_another_account_is_out_of_reach(platform: Platform) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource") as error:
        platform.client("sts").assume_role(RoleArn="arn:aws:iam::999999999999:role/Trainer", RoleSessionName="me")
    assert error.value.response["Error"]["Code"] == "AccessDenied"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_what_is_no_role_cannot_be_assumed(platform: Platform) -> None:
    with pytest.raises(ClientError, match="is invalid"):
        platform.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:user/me", RoleSessionName="me")


def test_a_session_token_signs_and_begets_no_other(platform: Platform) -> None:
    credentials = platform.client("sts").get_session_token(DurationSeconds=900)["Credentials"]
    client = _client_with(platform, "sts", credentials)
    assert client.get_caller_identity()["Account"] == "123456789012"
    assumed = platform.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="me")["Credentials"]
    with pytest.raises(ClientError, match="Cannot call GetSessionToken with session credentials"):
        _client_with(platform, "sts", assumed).get_session_token()
