"""What the policies of buckets and of roles let nobody do, and whom they let in unsigned."""

import itertools
import json
import sqlite3
import urllib.error
import urllib.request
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config

from tests.platform import Platform
from tests.services.s3.helpers import put_all, refused

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"policies-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    put_all(s3, name, "open/key", "closed/key")
    return name


def put_policy(s3: Any, bucket: str, *statements: dict[str, Any]) -> None:
    """Each statement is a denial to everybody of everything in the bucket, but for what it says."""
    arn = f"arn:aws:s3:::{bucket}"
    default = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
    document = {"Version": "2012-10-17", "Statement": [default | each for each in statements]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(document))


def as_role(platform: Platform, role: str) -> Any:
    sts = platform.client("sts")
    account = sts.get_caller_identity()["Account"]
    arn = f"arn:aws:iam::{account}:role/{role}"
    keys = sts.assume_role(RoleArn=arn, RoleSessionName="session")["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=platform.url,
        region_name="us-east-1",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def status_of(platform: Platform, path: str, method: str = "GET", body: bytes | None = None) -> int:
    """Of an unsigned request."""
    try:
        request = urllib.request.Request(f"{platform.url}/{path}", method=method, data=body)
        with urllib.request.urlopen(request) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_denial_holds_for_every_operation_that_takes_the_action(s3: Any, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    put_policy(s3, bucket, {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/closed/*"})
    for call in (
        lambda: s3.get_object(Bucket=bucket, Key="closed/key"),
        lambda: s3.put_object(Bucket=bucket, Key="closed/key", Body=b""),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="closed/key"),
        lambda: s3.copy_object(Bucket=bucket, Key="open/copy", CopySource=f"{bucket}/closed/key"),
        lambda: s3.copy_object(Bucket=bucket, Key="closed/copy", CopySource=f"{bucket}/open/key"),
        lambda: s3.get_object_attributes(Bucket=bucket, Key="closed/key", ObjectAttributes=["ETag"]),
    ):
        with refused("AccessDenied", 403):
            call()
    with refused("403", 403):
        s3.head_object(Bucket=bucket, Key="closed/key")
    s3.get_object(Bucket=bucket, Key="open/key")
    s3.delete_object(Bucket=bucket, Key="closed/key")
    with refused("AccessDenied", 403) as error:
        s3.get_object(Bucket=bucket, Key="closed/key")
    assert f's3:GetObject on resource: "{arn}/closed/key" with an explicit deny' in error["Message"]


def test_a_batch_deletes_what_it_may(s3: Any, bucket: str) -> None:
    put_policy(s3, bucket, {"Action": "s3:DeleteObject", "Resource": f"arn:aws:s3:::{bucket}/closed/*"})
    wanted = {"Objects": [{"Key": "open/key"}, {"Key": "closed/key"}]}
    answer = s3.delete_objects(Bucket=bucket, Delete=wanted)
    assert [each["Key"] for each in answer["Deleted"]] == ["open/key"]
    assert [(each["Key"], each["Code"]) for each in answer["Errors"]] == [("closed/key", "AccessDenied")]
    assert [each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["closed/key"]


def test_a_batch_passes_by_retention_only_for_who_may(s3: Any) -> None:
    name = f"policies-{next(_numbers)}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    until = datetime.now(UTC) + timedelta(days=1)
    lock = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until, "ChecksumAlgorithm": "CRC32"}
    version = s3.put_object(Bucket=name, Key="key", Body=b"", **lock)["VersionId"]
    put_policy(s3, name, {"Action": "s3:BypassGovernanceRetention", "Resource": f"arn:aws:s3:::{name}/*"})
    batch = {"Objects": [{"Key": "key", "VersionId": version}]}
    answer = s3.delete_objects(Bucket=name, Delete=batch, BypassGovernanceRetention=True)
    assert [error["Code"] for error in answer["Errors"]] == ["AccessDenied"]
    assert s3.head_object(Bucket=name, Key="key")["VersionId"] == version


def test_the_tags_of_a_copys_source_are_those_of_the_version(s3: Any) -> None:
    name = f"policies-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    secret = s3.put_object(Bucket=name, Key="key", Body=b"", Tagging="secret=yes")["VersionId"]
    s3.put_object(Bucket=name, Key="key", Body=b"")
    tagged = {"StringEquals": {"s3:ExistingObjectTag/secret": "yes"}}
    put_policy(s3, name, {"Action": "s3:GetObjectVersion", "Condition": tagged})
    with refused("AccessDenied", 403):
        s3.copy_object(Bucket=name, Key="copy", CopySource={"Bucket": name, "Key": "key", "VersionId": secret})


def test_the_root_of_the_account_is_never_locked_out(s3: Any, bucket: str) -> None:
    put_policy(s3, bucket, {})
    for call in (
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.get_bucket_location(Bucket=bucket),
        lambda: s3.delete_bucket(Bucket=bucket),
    ):
        with refused("AccessDenied", 403):
            call()
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"][0]["Effect"] == "Deny"
    s3.delete_bucket_policy(Bucket=bucket)
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 2


@pytest.mark.parametrize(
    ("condition", "denied", "allowed"),
    [
        ({"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}, {}, {"ServerSideEncryption": "aws:kms"}),
        ({"Null": {"s3:x-amz-server-side-encryption": "true"}}, {}, {"ServerSideEncryption": "AES256"}),
        ({"StringEquals": {"s3:x-amz-storage-class": "GLACIER"}}, {"StorageClass": "GLACIER"}, {}),
        ({"Null": {"s3:RequestObjectTag/team": "true"}}, {"Tagging": "a=b"}, {"Tagging": "team=x"}),
        ({"ForAnyValue:StringEquals": {"s3:RequestObjectTagKeys": "a"}}, {"Tagging": "a=b"}, {"Tagging": "team=x"}),
    ],
)
def test_conditions_on_what_a_write_asks_for(s3: Any, bucket: str, condition: Any, denied: Any, allowed: Any) -> None:
    put_policy(s3, bucket, {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*", "Condition": condition})
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", **denied)
    s3.put_object(Bucket=bucket, Key="key", Body=b"", **allowed)


def test_the_parts_of_an_upload_are_encrypted_as_it_is(s3: Any, bucket: str) -> None:
    condition = {"StringNotEquals": {"s3:x-amz-server-side-encryption": "aws:kms"}}
    put_policy(s3, bucket, {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*", "Condition": condition})
    named = {"Bucket": bucket, "Key": "key"}
    named |= {"UploadId": s3.create_multipart_upload(**named, ServerSideEncryption="aws:kms")["UploadId"]}
    part = s3.upload_part(**named, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**named, MultipartUpload=parts)


def test_conditions_on_the_call(s3: Any, bucket: str) -> None:
    arn = f"arn:aws:s3:::{bucket}"
    put_policy(
        s3,
        bucket,
        {"Action": "s3:ListBucket", "Resource": arn, "Condition": {"StringNotLike": {"s3:prefix": "open/*"}}},
        {"Action": "s3:GetObject", "Condition": {"IpAddress": {"aws:SourceIp": ["127.0.0.0/8", "::1/128"]}}},
        {"Action": "s3:DeleteObject", "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Action": "s3:PutObject", "Condition": {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}},
        {"Action": "s3:GetObjectTagging", "Condition": {"StringEquals": {"s3:ExistingObjectTag/secret": "yes"}}},
    )
    s3.list_objects_v2(Bucket=bucket, Prefix="open/x")
    for call in (
        lambda: s3.list_objects_v2(Bucket=bucket, Prefix="closed/"),
        lambda: s3.list_objects_v2(Bucket=bucket),
        lambda: s3.get_object(Bucket=bucket, Key="open/key"),
        lambda: s3.delete_object(Bucket=bucket, Key="open/key"),
        lambda: s3.put_object(Bucket=bucket, Key="open/key", Body=b""),
    ):
        with refused("AccessDenied", 403):
            call()
    s3.get_object_tagging(Bucket=bucket, Key="open/key")
    s3.put_object_tagging(Bucket=bucket, Key="open/key", Tagging={"TagSet": [{"Key": "secret", "Value": "yes"}]})
    with refused("AccessDenied", 403):
        s3.get_object_tagging(Bucket=bucket, Key="open/key")


def test_a_presigned_url_can_grow_too_old(platform: Platform, s3: Any, bucket: str) -> None:
    def put(least: int) -> None:
        too_old = {"NumericGreaterThan": {"s3:signatureAge": str(least)}}
        in_url = {"StringEquals": {"s3:authType": "REST-QUERY-STRING"}}
        put_policy(s3, bucket, {"Action": "s3:GetObject", "Condition": too_old | in_url})

    signer = platform.client("s3", signature_version="s3v4")
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "open/key"})
    path = url.removeprefix(f"{platform.url}/")
    put(600_000)
    assert status_of(platform, path) == 200
    put(-600_000)
    assert status_of(platform, path) == 403
    s3.get_object(Bucket=bucket, Key="open/key")


def test_a_policy_tells_roles_apart(platform: Platform, s3: Any, bucket: str) -> None:
    account = platform.client("sts").get_caller_identity()["Account"]
    put_policy(s3, bucket, {"Principal": {"AWS": f"arn:aws:iam::{account}:role/Outsider"}, "Action": "s3:GetObject"})
    with refused("AccessDenied", 403) as error:
        as_role(platform, "Outsider").get_object(Bucket=bucket, Key="open/key")
    assert f"User: arn:aws:sts::{account}:assumed-role/Outsider/session" in error["Message"]
    as_role(platform, "Insider").get_object(Bucket=bucket, Key="open/key")
    s3.get_object(Bucket=bucket, Key="open/key")


def test_the_policies_of_a_role_deny_what_they_deny(platform: Platform, bucket: str) -> None:
    iam, role = platform.client("iam"), as_role(platform, "Restrained")
    role.get_object(Bucket=bucket, Key="open/key")  # nobody wrote a policy for it
    statement = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/closed/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": statement})
    iam.put_role_policy(RoleName="Restrained", PolicyName="not-closed", PolicyDocument=document)
    with refused("AccessDenied", 403) as error:
        role.get_object(Bucket=bucket, Key="closed/key")
    assert "with an explicit deny in an identity-based policy" in error["Message"]
    role.get_object(Bucket=bucket, Key="open/key")
    iam.delete_role_policy(RoleName="Restrained", PolicyName="not-closed")
    role.get_object(Bucket=bucket, Key="closed/key")
    iam.attach_role_policy(RoleName="Restrained", PolicyArn="arn:aws:iam::aws:policy/AWSDenyAll")
    with refused("AccessDenied", 403):
        role.list_buckets()


def test_policies_outlive_a_crash(own_platform: Platform) -> None:
    s3 = own_platform.client("s3")
    s3.create_bucket(Bucket="guarded")
    put_policy(s3, "guarded", {"Action": "s3:PutObject", "Resource": "arn:aws:s3:::guarded/*"})
    own_platform.kill()
    with refused("AccessDenied", 403):
        own_platform.up().client("s3").put_object(Bucket="guarded", Key="key", Body=b"")


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ({"Action": "ec2:*"}, "Policy has invalid action"),
        ({"Action": "s3:GetObjekt"}, "Policy has invalid action"),
        ({"Action": ["s3:GetObject", "s3:Fetch*"]}, "Policy has invalid action"),
        ({"Resource": "arn:aws:s3:::another/*"}, "Policy has invalid resource"),
        ({"Action": "s3:GetObject", "Resource": "arn:aws:s3:::{}"}, "Action does not apply to any resource(s) in stat"),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::{}/*"}, "Action does not apply to any resource(s) in"),
        ({"Effect": "Permit"}, "Invalid effect: Permit"),
        ({"Condition": {"StringIs": {"a": "b"}}}, "Invalid Condition type : StringIs"),
    ],
)
def test_what_is_no_policy(s3: Any, bucket: str, statement: dict[str, Any], message: str) -> None:
    filled = json.loads(json.dumps(statement).replace("{}", bucket))
    with refused("MalformedPolicy", 400) as error:
        put_policy(s3, bucket, filled)
    assert error["Message"].startswith(message)


def test_a_policy_that_cannot_be_read_locks_nobody_out(own_platform: Platform) -> None:
    own_platform.client("s3").create_bucket(Bucket="kept-before")
    own_platform.kill()
    database = sqlite3.connect(own_platform.state / "clary.db")
    with closing(database), database:
        row = ("kept-before", "BucketPolicy", json.dumps('{"Statement": [{"Deny": "all"}]}'))
        database.execute("INSERT INTO bucket_documents VALUES (?, ?, ?)", row)
    s3 = own_platform.up().client("s3")
    s3.put_object(Bucket="kept-before", Key="key", Body=b"")
    assert s3.get_bucket_policy_status(Bucket="kept-before")["PolicyStatus"] == {"IsPublic": False}
    assert status_of(own_platform, "kept-before/key") == 403


@pytest.mark.parametrize("action", ["*", "s3:*", "S3:getobject", "s3:Get*Version?agging", "s3:ReplicateObject"])
def test_actions_are_named_or_matched(s3: Any, bucket: str, action: str) -> None:
    put_policy(s3, bucket, {"Action": action})
    s3.delete_bucket_policy(Bucket=bucket)


def test_public_policies_can_be_blocked(s3: Any, bucket: str) -> None:
    public = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/open/*"}
    with refused("AccessDenied", 403):
        put_policy(s3, bucket, public)
    put_policy(s3, bucket, public | {"Principal": {"AWS": "123456789012"}})
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": False}
    s3.delete_public_access_block(Bucket=bucket)
    put_policy(s3, bucket, public)
    assert s3.get_bucket_policy_status(Bucket=bucket)["PolicyStatus"] == {"IsPublic": True}


def test_strangers_get_what_a_policy_opens(platform: Platform, s3: Any, bucket: str) -> None:
    assert status_of(platform, f"{bucket}/open/key") == 403
    s3.delete_public_access_block(Bucket=bucket)
    put_policy(
        s3,
        bucket,
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"arn:aws:s3:::{bucket}/open/*"},
        {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/open/but-not/*"},
    )
    assert status_of(platform, f"{bucket}/open/key") == 200
    assert status_of(platform, f"{bucket}/open/key", "HEAD") == 200
    assert status_of(platform, f"{bucket}/open/new", "PUT", b"x") == 200
    assert s3.get_object(Bucket=bucket, Key="open/new")["Body"].read() == b"x"
    for method, path in (
        ("GET", f"{bucket}/open/but-not/this"),
        ("GET", f"{bucket}/closed/key"),
        ("GET", bucket),
        ("GET", ""),
        ("GET", "no-such-bucket/key"),
        ("DELETE", f"{bucket}/open/key"),
        ("DELETE", bucket),
        ("PUT", "policies-of-a-stranger"),
        ("PUT", f"{bucket}?policy"),
        ("POST", f"{bucket}?delete"),
        ("POST", f"{bucket}/open/key?uploads"),
    ):
        assert status_of(platform, path, method, b"" if method in ("PUT", "POST") else None) == 403, path
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"RestrictPublicBuckets": True})
    assert status_of(platform, f"{bucket}/open/key") == 403


def test_who_may_not_list_keys_is_not_told_which_are_missing(platform: Platform, s3: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    reading = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    put_policy(s3, bucket, reading)
    assert status_of(platform, f"{bucket}/missing") == 403
    assert status_of(platform, f"{bucket}/missing", "HEAD") == 403
    put_policy(s3, bucket, reading, {"Effect": "Allow", "Action": "s3:ListBucket"})
    assert status_of(platform, f"{bucket}/missing") == 404
    put_policy(s3, bucket, {"Action": "s3:ListBucket"})
    with refused("AccessDenied", 403) as error:
        s3.get_object(Bucket=bucket, Key="missing")
    assert "s3:ListBucket" in error["Message"]
    with refused("AccessDenied", 403):
        s3.get_object_attributes(Bucket=bucket, Key="missing", ObjectAttributes=["ETag"])


def test_strangers_set_no_headers_of_the_answer(platform: Platform, s3: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    put_policy(s3, bucket, {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"})
    assert status_of(platform, f"{bucket}/open/key") == 200
    assert status_of(platform, f"{bucket}/open/key?response-content-type=text%2Fhtml") == 400


def test_strangers_get_what_a_list_grants_them(platform: Platform, s3: Any, bucket: str) -> None:
    ownership: Any = {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=ownership)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_object_acl(Bucket=bucket, Key="open/key", ACL="public-read")
    assert status_of(platform, f"{bucket}/open/key") == 200
    assert status_of(platform, f"{bucket}/closed/key") == 403
    assert status_of(platform, bucket) == 403
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert status_of(platform, f"{bucket}?list-type=2") == 200
    assert status_of(platform, f"{bucket}/closed/key", "PUT", b"") == 403
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"IgnorePublicAcls": True})
    assert status_of(platform, f"{bucket}/open/key") == 403


def test_a_simulation_knows_what_a_role_is_denied(platform: Platform) -> None:
    iam = platform.client("iam")
    statement = {"Effect": "Deny", "Action": "s3:Put*", "Resource": "arn:aws:s3:::simulated/*"}
    role = iam.get_role(RoleName="SimulatedDenials")["Role"]
    with refused("MalformedPolicyDocument", 400):
        iam.put_role_policy(
            RoleName="SimulatedDenials", PolicyName="no", PolicyDocument='{"Statement": {"Effect": "Deny"}}'
        )
    iam.put_role_policy(
        RoleName="SimulatedDenials", PolicyName="no", PolicyDocument=json.dumps({"Statement": statement})
    )
    answer = iam.simulate_principal_policy(
        PolicySourceArn=role["Arn"],
        ActionNames=["s3:PutObject", "s3:GetObject"],
        ResourceArns=["arn:aws:s3:::simulated/key"],
    )
    decisions = [each["EvalDecision"] for each in answer["EvaluationResults"]]
    assert decisions == ["explicitDeny", "allowed"]


def test_a_bucket_is_named_by_the_partition_of_its_region(platform: Platform) -> None:
    constraint: Any = {"LocationConstraint": "cn-north-1"}
    beijing = platform.client("s3", region="cn-north-1")
    beijing.create_bucket(Bucket="policies-in-beijing", CreateBucketConfiguration=constraint)
    put_all(beijing, "policies-in-beijing", "key")
    with refused("MalformedPolicy", 400):
        put_policy(beijing, "policies-in-beijing", {"Action": "s3:GetObject"})
    put_policy(
        beijing,
        "policies-in-beijing",
        {"Action": "s3:GetObject", "Resource": "arn:aws-cn:s3:::policies-in-beijing/*"},
    )
    for region in ("cn-north-1", "us-east-1"):
        with refused("AccessDenied", 403):
            platform.client("s3", region=region).get_object(Bucket="policies-in-beijing", Key="key")
