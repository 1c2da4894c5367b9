"""Roles through boto3, as the SageMaker SDKs and other tools use them."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import SKLEARN, unique

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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Resource": "*"}, "Has prohibited field Resource"),
        ({"NotResource": "*"}, "Has prohibited field NotResource"),
        ({"Principal": None}, "Missing required field Principal"),
        ({"Action": None}, "Missing required field Action"),
        ({"Effect": None}, "Missing required field Effect"),
        ({"Effect": "Maybe"}, "Invalid effect: Maybe"),
        ({"Action": ["sts:AssumeRole", "s3:GetObject"]}, "may only specify STS AssumeRole actions"),
        ({"Principal": {"Friend": "me"}}, 'Invalid principal in policy: "Friend":"me"'),
        ({"Condition": "always"}, "Syntax errors in policy"),
    ],
)
def test_a_trust_policy_says_who_and_nothing_else(iam: Any, changes: dict[str, Any], message: str) -> None:
    statement = {name: value for name, value in {**TRUST["Statement"][0], **changes}.items() if value is not None}  # type: ignore[dict-item]
    with pytest.raises(ClientError, match=message) as error:
        iam.create_role(RoleName="Broken", AssumeRolePolicyDocument=json.dumps({**TRUST, "Statement": [statement]}))
    assert _code(error) == ("MalformedPolicyDocument", 400)


def test_a_trust_policy_may_name_anyone_who_can_assume(iam: Any) -> None:
    statement = {"Effect": "Allow", "Action": ["sts:AssumeRole*", "sts:TagSession"]}
    for number, principal in enumerate(("*", {"AWS": ["123456789012", "*"]}, {"Federated": "accounts.google.com"})):
        policy = {"Statement": {**statement, "Principal": principal}}
        iam.create_role(RoleName=f"Trusting-{number}", AssumeRolePolicyDocument=json.dumps(policy))


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Effect": "Allow", "Action": "s3:*"}, "must contain resources"),
        ({"Effect": "Allow", "Resource": "*"}, "must contain actions"),
        ({"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}, "should not specify a principal"),
    ],
)
def test_a_policy_of_a_role_says_what_and_not_who(iam: Any, statement: dict[str, Any], message: str) -> None:
    iam.get_role(RoleName="Limited")
    with pytest.raises(ClientError, match=message) as error:
        iam.put_role_policy(RoleName="Limited", PolicyName="p", PolicyDocument=json.dumps({"Statement": statement}))
    assert _code(error) == ("MalformedPolicyDocument", 400)


@pytest.mark.parametrize("created", [True, False])
def test_a_role_that_was_deleted_is_gone_until_it_is_created_again(platform: Platform, iam: Any, created: bool) -> None:
    name = f"Gone-{created}"
    arn = f"arn:aws:iam::123456789012:role/{name}"
    if created:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST), Tags=[{"Key": "k", "Value": "v"}])
    else:
        iam.get_role(RoleName=name)
    iam.delete_role(RoleName=name)
    for ask in (
        lambda: iam.get_role(RoleName=name),
        lambda: iam.delete_role(RoleName=name),
        lambda: iam.list_role_tags(RoleName=name),
        lambda: iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=["s3:GetObject"]),
    ):
        with pytest.raises(iam.exceptions.NoSuchEntityException, match=f"role with name {name} cannot be found"):
            ask()
    with pytest.raises(ClientError) as error:
        platform.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert _code(error) == ("AccessDenied", 403)
    assert name not in {role["RoleName"] for role in iam.list_roles(MaxItems=1000)["Roles"]}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    role = iam.get_role(RoleName=name)["Role"]
    assert (role["Arn"], role.get("Tags", [])) == (arn, [])


def test_a_deleted_role_is_not_given_to_sagemaker(platform: Platform, iam: Any) -> None:
    arn = iam.create_role(RoleName="Left", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    _create_model(platform, arn)
    iam.delete_role(RoleName="Left")
    with pytest.raises(ClientError, match=f"Could not assume role {arn}") as error:
        _create_model(platform, arn)
    assert _code(error) == ("ValidationException", 400)


def _create_model(platform: Platform, role: str) -> None:
    platform.client("sagemaker").create_model(
        ModelName=unique("model"), ExecutionRoleArn=role, PrimaryContainer={"Image": SKLEARN}
    )


def test_strict_roles_must_be_created(tmp_path: Path) -> None:
    platform = Platform(tmp_path / "state", "--strict-roles").up()
    try:
        iam = platform.client("iam")
        with pytest.raises(iam.exceptions.NoSuchEntityException):
            iam.get_role(RoleName="MyCompanyRole")
        assert iam.get_role(RoleName="AmazonSageMaker-ExecutionRole")["Role"]["Path"] == "/service-role/"
        with pytest.raises(ClientError, match="Could not assume role"):
            _create_model(platform, "arn:aws:iam::123456789012:role/MyCompanyRole")
        _create_model(platform, "arn:aws:iam::123456789012:role/service-role/AmazonSageMaker-ExecutionRole")
        iam.create_role(RoleName="MyCompanyRole", AssumeRolePolicyDocument=json.dumps(TRUST))
        assert iam.get_role(RoleName="MyCompanyRole")["Role"]["RoleName"] == "MyCompanyRole"
        _create_model(platform, "arn:aws:iam::123456789012:role/MyCompanyRole")
    finally:
        platform.down()


def test_a_permissions_boundary_is_kept(iam: Any) -> None:
    boundary = "arn:aws:iam::123456789012:policy/Bounds"
    shown = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": boundary}
    created = iam.create_role(
        RoleName="Bounded", AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=boundary, Path="/bounded/"
    )["Role"]
    assert created["PermissionsBoundary"] == shown
    iam.update_role(RoleName="Bounded", Description="still")
    assert iam.get_role(RoleName="Bounded")["Role"]["PermissionsBoundary"] == shown
    assert "PermissionsBoundary" not in iam.list_roles(PathPrefix="/bounded/")["Roles"][0]
    iam.put_role_permissions_boundary(RoleName="Bounded", PermissionsBoundary=f"{boundary}2")
    described = iam.get_role(RoleName="Bounded")["Role"]["PermissionsBoundary"]
    assert described["PermissionsBoundaryArn"] == f"{boundary}2"
    iam.delete_role_permissions_boundary(RoleName="Bounded")
    assert "PermissionsBoundary" not in iam.get_role(RoleName="Bounded")["Role"]
    with pytest.raises(ClientError, match="is not valid") as error:
        iam.put_role_permissions_boundary(RoleName="Bounded", PermissionsBoundary="arn:aws:s3:::a-bucket-of-mine")
    assert _code(error) == ("InvalidInput", 400)


def test_an_empty_description_is_one(iam: Any) -> None:
    iam.create_role(RoleName="Empty", AssumeRolePolicyDocument=json.dumps(TRUST), Description="")
    assert iam.get_role(RoleName="Empty")["Role"]["Description"] == ""
    iam.create_role(RoleName="Silent", AssumeRolePolicyDocument=json.dumps(TRUST))
    assert "Description" not in iam.get_role(RoleName="Silent")["Role"]


def test_what_a_role_holds_is_listed_in_pages(iam: Any) -> None:
    keys = [f"key-{number}" for number in range(5)]
    tags = [{"Key": key, "Value": "v"} for key in keys]
    iam.create_role(RoleName="Tagged", AssumeRolePolicyDocument=json.dumps(TRUST), Tags=tags)
    first = iam.list_role_tags(RoleName="Tagged", MaxItems=2)
    assert (first["Tags"], first["IsTruncated"]) == (tags[:2], True)
    iam.untag_role(RoleName="Tagged", TagKeys=["key-0"])
    second = iam.list_role_tags(RoleName="Tagged", Marker=first["Marker"])
    assert (second["Tags"], second["IsTruncated"]) == (tags[2:], False)
    assert "Marker" not in second
    for key in keys:
        iam.put_role_policy(RoleName="Tagged", PolicyName=key, PolicyDocument=json.dumps(POLICY))
    pages = list(iam.get_paginator("list_role_policies").paginate(RoleName="Tagged", PaginationConfig={"PageSize": 2}))
    assert [name for page in pages for name in page["PolicyNames"]] == keys
    assert len(pages) == 3
    with pytest.raises(ClientError, match="Invalid Marker"):
        iam.list_role_tags(RoleName="Tagged", Marker="nonsense")


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


def test_what_a_deleted_role_denied_is_forgotten(platform: Platform, iam: Any) -> None:
    """Its sessions go on until they expire, as sessions of a role without policies."""
    denial = {"Statement": {"Effect": "Deny", "Action": "s3:ListAllMyBuckets", "Resource": "*"}}
    iam.create_role(RoleName="Denied", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="Denied", PolicyName="p", PolicyDocument=json.dumps(denial))
    keys = platform.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/Denied", RoleSessionName="me")[
        "Credentials"
    ]
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=platform.url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.list_buckets()
    iam.delete_role_policy(RoleName="Denied", PolicyName="p")
    iam.delete_role(RoleName="Denied")
    s3.list_buckets()
