"""Who may be granted what of buckets and objects, by the ownership and the public access that their owner chose."""

import itertools
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    """One in which lists count and may be public."""
    name = f"access-{next(_numbers)}"
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    s3.delete_public_access_block(Bucket=name)
    return name


def granted(acl: dict[str, Any]) -> list[tuple[str, str]]:
    """(group or "owner", permission) of every grant."""
    owner = acl["Owner"]["ID"]
    return [
        ("owner" if grant["Grantee"].get("ID") == owner else grant["Grantee"]["URI"], grant["Permission"])
        for grant in acl["Grants"]
    ]


def test_ownership_of_a_new_bucket_is_the_one_asked_for(s3: Any) -> None:
    s3.create_bucket(Bucket="owned-preferred", ObjectOwnership="BucketOwnerPreferred")
    controls = s3.get_bucket_ownership_controls(Bucket="owned-preferred")["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_object(Bucket="owned-preferred", Key="key", Body=b"", ACL="private")
    for rules in ([], [{"ObjectOwnership": "Nobody"}]):
        with refused("MalformedXML", 400):
            s3.put_bucket_ownership_controls(Bucket="owned-preferred", OwnershipControls={"Rules": rules})
    with refused("InvalidArgument", 400):
        s3.create_bucket(Bucket="owned-by-nobody", ObjectOwnership="Nobody")
    s3.put_bucket_ownership_controls(
        Bucket="owned-preferred", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    )
    with refused("AccessControlListNotSupported", 400):
        s3.put_object(Bucket="owned-preferred", Key="key", Body=b"", ACL="private")
    s3.delete_bucket_ownership_controls(Bucket="owned-preferred")
    with refused("OwnershipControlsNotFoundError", 404):
        s3.get_bucket_ownership_controls(Bucket="owned-preferred")
    s3.put_object(Bucket="owned-preferred", Key="key", Body=b"", ACL="private")


def test_a_bucket_without_lists_refuses_them(s3: Any) -> None:
    s3.create_bucket(Bucket="owned-enforced")
    s3.put_object(Bucket="owned-enforced", Key="key", Body=b"")
    with refused("AccessControlListNotSupported", 400):
        s3.put_bucket_acl(Bucket="owned-enforced", ACL="private")
    with refused("AccessControlListNotSupported", 400):
        s3.put_object_acl(Bucket="owned-enforced", Key="key", GrantRead=f'uri="{ALL_USERS}"')
    s3.put_object_acl(Bucket="owned-enforced", Key="key", ACL="bucket-owner-full-control")
    s3.put_bucket_acl(Bucket="owned-enforced", AccessControlPolicy=_policy(s3, "owned-enforced"))
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        s3.create_bucket(Bucket="owned-never", ACL="public-read")
    with refused("InvalidBucketAclWithBlockPublicAccessError", 400):
        s3.create_bucket(Bucket="owned-never", ACL="public-read", ObjectOwnership="ObjectWriter")


def _policy(s3: Any, bucket: str) -> Any:
    acl = s3.get_bucket_acl(Bucket=bucket)
    return {"Owner": acl["Owner"], "Grants": acl["Grants"]}


def test_lists_of_a_bucket_are_kept(s3: Any, bucket: str) -> None:
    assert granted(s3.get_bucket_acl(Bucket=bucket)) == [("owner", "FULL_CONTROL")]
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read-write")
    public = [("owner", "FULL_CONTROL"), (ALL_USERS, "READ"), (ALL_USERS, "WRITE")]
    assert granted(s3.get_bucket_acl(Bucket=bucket)) == public
    with refused("InvalidBucketAclWithObjectOwnership", 400):
        s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        )
    policy = _policy(s3, bucket)
    policy["Grants"] = [grant for grant in policy["Grants"] if grant["Permission"] != "WRITE"]
    s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)
    assert granted(s3.get_bucket_acl(Bucket=bucket)) == public[:2]
    s3.put_bucket_acl(Bucket=bucket, GrantRead=f'uri="{ALL_USERS}"', GrantFullControl=f"id={policy['Owner']['ID']}")
    assert sorted(granted(s3.get_bucket_acl(Bucket=bucket))) == sorted(public[:2])


def test_lists_of_objects_are_kept(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="put", Body=b"x", ACL="public-read")
    public = [("owner", "FULL_CONTROL"), (ALL_USERS, "READ")]
    assert granted(s3.get_object_acl(Bucket=bucket, Key="put")) == public
    assert s3.get_object(Bucket=bucket, Key="put")["Body"].read() == b"x"
    s3.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/put")
    assert granted(s3.get_object_acl(Bucket=bucket, Key="copied")) == public[:1]
    s3.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/put", ACL="public-read")
    assert granted(s3.get_object_acl(Bucket=bucket, Key="copied")) == public
    upload = s3.create_multipart_upload(Bucket=bucket, Key="joined", ACL="public-read")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="joined", UploadId=upload, PartNumber=1, Body=b"x")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="joined", UploadId=upload, MultipartUpload=parts)
    assert granted(s3.get_object_acl(Bucket=bucket, Key="joined")) == public
    s3.put_object_acl(Bucket=bucket, Key="joined", ACL="private")
    assert granted(s3.get_object_acl(Bucket=bucket, Key="joined")) == public[:1]


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "MissingSecurityHeader"),
        ({"ACL": "private", "GrantRead": f'uri="{ALL_USERS}"'}, "InvalidRequest"),
        ({"ACL": "everybody-read"}, "InvalidArgument"),
        ({"GrantRead": "everybody"}, "InvalidArgument"),
        ({"GrantRead": 'uri="http://example.com/group"'}, "InvalidArgument"),
        ({"GrantRead": f'id="{"0" * 64}"'}, "InvalidArgument"),
        ({"GrantRead": 'emailAddress="a@example.com"'}, "UnresolvableGrantByEmailAddress"),
        ({"AccessControlPolicy": {"Grants": []}}, "MalformedACLError"),
    ],
)
def test_what_is_no_list(s3: Any, bucket: str, asked: dict[str, Any], code: str) -> None:
    with refused(code, 400):
        s3.put_bucket_acl(Bucket=bucket, **asked)


def test_a_list_of_another_owner_is_refused(s3: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": {"ID": "0" * 64}, "Grants": []})


def test_public_lists_can_be_blocked(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert block == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": False,
        "BlockPublicPolicy": False,
        "RestrictPublicBuckets": False,
    }
    for call in (
        lambda: s3.put_bucket_acl(Bucket=bucket, ACL="public-read"),
        lambda: s3.put_object_acl(Bucket=bucket, Key="key", ACL="authenticated-read"),
        lambda: s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL="public-read"),
        lambda: s3.create_multipart_upload(Bucket=bucket, Key="key", ACL="public-read"),
    ):
        with refused("AccessDenied", 403):
            call()


def test_settings_of_a_bucket_go_with_it_and_outlive_a_crash(own_platform: Platform) -> None:
    s3 = own_platform.client("s3")
    s3.create_bucket(Bucket="kept", ObjectOwnership="ObjectWriter")
    s3.create_bucket(Bucket="gone", ObjectOwnership="ObjectWriter")
    s3.delete_bucket(Bucket="gone")
    s3.create_bucket(Bucket="gone")
    own_platform.kill()
    s3 = own_platform.up().client("s3")
    s3.put_object(Bucket="kept", Key="key", Body=b"", ACL="private")
    with refused("AccessControlListNotSupported", 400):
        s3.put_object(Bucket="gone", Key="key", Body=b"", ACL="private")
