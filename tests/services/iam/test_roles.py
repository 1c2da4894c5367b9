"""Roles through boto3, as the SageMaker SDKs and other tools use them."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
FULL_ACCESS = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess"


@pytest.fixture(scope="module")
def iam(platform: Platform) -> Any:
    return platform.client("iam")


def _code(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_role_that_a_program_brings_along_is_there_and_trusts_sagemaker(iam: Any) -> None:
    role = iam.get_role(RoleName="MyCompanyRole")["Role"]
    assert role["Arn"] == "arn:aws:iam::123456789012:role/MyCompanyRole"
    statement = role["AssumeRolePolicyDocument"]["Statement"][0]
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert iam.get_role(RoleName="MyCompanyRole")["Role"] == role
    attached = iam.list_attached_role_policies(RoleName="MyCompanyRole")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AmazonSageMakerFullAccess", "PolicyArn": FULL_ACCESS}]


def test_a_created_role_reads_back_in_every_region(platform: Platform, iam: Any) -> None:
    created = iam.create_role(
        RoleName="Reader",
        Path="/team/",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        Description="Reads only",
        MaxSessionDuration=7200,
        Tags=[{"Key": "team", "Value": "blau + grün"}],
    )["Role"]
    role = platform.client("iam", region="eu-west-1").get_role(RoleName="Reader")["Role"]
    assert role == created
    assert role["Arn"] == "arn:aws:iam::123456789012:role/team/Reader"
    assert role["AssumeRolePolicyDocument"] == TRUST
    assert (role["Description"], role["MaxSessionDuration"]) == ("Reads only", 7200)
    assert iam.list_role_tags(RoleName="Reader")["Tags"] == [{"Key": "team", "Value": "blau + grün"}]
    with pytest.raises(iam.exceptions.EntityAlreadyExistsException, match="Role with name Reader already exists"):
        iam.create_role(RoleName="Reader", AssumeRolePolicyDocument=json.dumps(TRUST))


def test_creation_takes_the_place_of_a_role_that_was_only_mentioned(iam: Any) -> None:
    iam.get_role(RoleName="Mentioned")
    iam.create_role(RoleName="Mentioned", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert iam.get_role(RoleName="Mentioned")["Role"]["AssumeRolePolicyDocument"] == TRUST
    assert iam.list_attached_role_policies(RoleName="Mentioned")["AttachedPolicies"] == []


def test_a_trust_policy_that_is_none_is_refused(iam: Any) -> None:
    for policy in ("{", "[]", '{"Version": "2012-10-17"}'):
        with pytest.raises(ClientError) as error:
            iam.create_role(RoleName="Broken", AssumeRolePolicyDocument=policy)
        assert _code(error) == ("MalformedPolicyDocument", 400)


def test_policies_come_and_go_before_their_role_may(iam: Any) -> None:
    iam.create_role(RoleName="Worker", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="Worker", PolicyName="inline", PolicyDocument=json.dumps(POLICY))
    iam.attach_role_policy(RoleName="Worker", PolicyArn=FULL_ACCESS)
    iam.attach_role_policy(RoleName="Worker", PolicyArn=FULL_ACCESS)
    assert iam.get_role_policy(RoleName="Worker", PolicyName="inline")["PolicyDocument"] == POLICY
    assert iam.list_role_policies(RoleName="Worker")["PolicyNames"] == ["inline"]
    with pytest.raises(iam.exceptions.DeleteConflictException, match="must detach all policies first"):
        iam.delete_role(RoleName="Worker")
    iam.detach_role_policy(RoleName="Worker", PolicyArn=FULL_ACCESS)
    with pytest.raises(iam.exceptions.DeleteConflictException, match="must delete policies first"):
        iam.delete_role(RoleName="Worker")
    iam.delete_role_policy(RoleName="Worker", PolicyName="inline")
    iam.delete_role(RoleName="Worker")
    with pytest.raises(ClientError) as error:
        iam.list_role_policies(RoleName="Worker")
    assert _code(error) == ("NoSuchEntity", 404)


def test_what_a_role_does_not_have_is_named(iam: Any) -> None:
    iam.create_role(RoleName="Bare", AssumeRolePolicyDocument=json.dumps(TRUST))
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="role policy with name x cannot be found"):
        iam.get_role_policy(RoleName="Bare", PolicyName="x")
    with pytest.raises(iam.exceptions.NoSuchEntityException, match=f"Policy {FULL_ACCESS} was not found"):
        iam.detach_role_policy(RoleName="Bare", PolicyArn=FULL_ACCESS)
    with pytest.raises(iam.exceptions.NoSuchEntityException, match="role with name Nobody cannot be found"):
        iam.update_role(RoleName="Nobody", Description="x")


def test_a_role_can_be_changed(iam: Any) -> None:
    iam.create_role(RoleName="Changing", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.update_role(RoleName="Changing", Description="new", MaxSessionDuration=3600)
    trust = json.loads(json.dumps(TRUST).replace("ec2", "sagemaker"))
    iam.update_assume_role_policy(RoleName="Changing", PolicyDocument=json.dumps(trust))
    iam.tag_role(RoleName="Changing", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    iam.untag_role(RoleName="Changing", TagKeys=["a"])
    role = iam.get_role(RoleName="Changing")["Role"]
    assert (role["Description"], role["AssumeRolePolicyDocument"]) == ("new", trust)
    assert role["Tags"] == [{"Key": "b", "Value": "2"}]


def test_roles_are_listed_in_pages_and_by_path(iam: Any) -> None:
    for number in range(5):
        iam.create_role(RoleName=f"Paged-{number}", Path="/paged/", AssumeRolePolicyDocument=json.dumps(TRUST))
    pages = list(iam.get_paginator("list_roles").paginate(PaginationConfig={"PageSize": 2}))
    names = [role["RoleName"] for page in pages for role in page["Roles"]]
    assert len(pages) > 2
    assert names == sorted(set(names))
    assert "AmazonSageMaker-ExecutionRole" in names
    by_path = iam.get_paginator("list_roles").paginate(PathPrefix="/paged/")
    assert [role["RoleName"] for page in by_path for role in page["Roles"]] == [f"Paged-{n}" for n in range(5)]


def test_a_simulation_says_what_clary_does(iam: Any) -> None:
    """Version 3 of the SDK asks this of every role before it trains."""
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn="arn:aws:iam::123456789012:role/some/where/Simulated",
        ActionNames=["s3:GetObject", "sagemaker:CreateTrainingJob"],
    )
    results = [result for page in pages for result in page["EvaluationResults"]]
    assert [(result["EvalActionName"], result["EvalDecision"]) for result in results] == [
        ("s3:GetObject", "allowed"),
        ("sagemaker:CreateTrainingJob", "allowed"),
    ]
    assert iam.get_role(RoleName="Simulated")["Role"]["Path"] == "/some/where/"
