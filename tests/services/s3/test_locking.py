"""Object Lock: retention, legal holds and the bucket's default, as boto3 sees them."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused

TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=0)
LATER = TOMORROW + timedelta(days=1)
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"locking-{next(_numbers)}"
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def plain(s3: Any) -> str:
    name = f"not-locking-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def put(s3: Any, bucket: str, **lock: Any) -> dict[str, Any]:
    """The names of a new version with that lock."""
    version = s3.put_object(Bucket=bucket, Key="key", Body=b"x", **lock)["VersionId"]
    return {"Bucket": bucket, "Key": "key", "VersionId": version}


def retained(s3: Any, bucket: str, mode: str, until: datetime = TOMORROW) -> dict[str, Any]:
    return put(s3, bucket, ObjectLockMode=mode, ObjectLockRetainUntilDate=until)


def retain(mode: str, until: datetime) -> dict[str, Any]:
    return {"Mode": mode, "RetainUntilDate": until}


def default(mode: str, **period: int) -> dict[str, Any]:
    return {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": mode, **period}}}


def test_a_bucket_that_locks_is_versioned_for_good(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    found = s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}
    with refused("InvalidBucketState", 409):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})


def test_locking_can_be_switched_on_where_versions_are_kept(s3: Any, plain: str) -> None:
    wanted = {"Bucket": plain, "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}
    with refused("ObjectLockConfigurationNotFoundError", 404):
        s3.get_object_lock_configuration(Bucket=plain)
    with refused("InvalidBucketState", 409):
        s3.put_object_lock_configuration(**wanted)
    s3.put_bucket_versioning(Bucket=plain, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(**wanted)
    with refused("AccessDenied", 403):
        s3.delete_object(**retained(s3, plain, "COMPLIANCE"))


@pytest.mark.parametrize(
    ("configuration", "code"),
    [
        ({}, "MalformedXML"),
        ({"ObjectLockEnabled": "Disabled"}, "MalformedXML"),
        (default("OTHER", Days=1), "MalformedXML"),
        (default("GOVERNANCE"), "MalformedXML"),
        (default("GOVERNANCE", Days=1, Years=1), "MalformedXML"),
        (default("GOVERNANCE", Days=0), "InvalidArgument"),
        (default("GOVERNANCE", Years=-1), "InvalidArgument"),
        (default("GOVERNANCE", Days=36_501), "InvalidArgument"),
    ],
)
def test_configurations_that_cannot_be(s3: Any, bucket: str, configuration: dict[str, Any], code: str) -> None:
    with refused(code, 400):
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)


def test_new_versions_are_retained_by_the_buckets_default(s3: Any, bucket: str) -> None:
    configuration = default("GOVERNANCE", Years=1)
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)
    assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"] == configuration
    in_a_year = datetime.now(UTC) + timedelta(days=365)
    named = put(s3, bucket)
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    joining = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    part = {"PartNumber": 1, "ETag": s3.upload_part(**joining, PartNumber=1, Body=b"x")["ETag"]}
    joined = s3.complete_multipart_upload(**joining, MultipartUpload={"Parts": [part]})
    copied = s3.copy_object(Bucket=bucket, Key="key", CopySource=named)
    for version in (named["VersionId"], joined["VersionId"], copied["VersionId"]):
        head = s3.head_object(Bucket=bucket, Key="key", VersionId=version)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert abs(head["ObjectLockRetainUntilDate"] - in_a_year) < timedelta(minutes=1)
    own = s3.head_object(**retained(s3, bucket, "COMPLIANCE"))
    assert (own["ObjectLockMode"], own["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", TOMORROW)


def test_the_lock_is_told_and_not_copied(s3: Any, bucket: str) -> None:
    named = put(
        s3, bucket, ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=TOMORROW, ObjectLockLegalHoldStatus="ON"
    )
    got = s3.get_object(**named)
    assert (got["ObjectLockMode"], got["ObjectLockRetainUntilDate"]) == ("GOVERNANCE", TOMORROW)
    assert got["ObjectLockLegalHoldStatus"] == "ON"
    assert s3.get_object_retention(**named)["Retention"] == retain("GOVERNANCE", TOMORROW)
    assert s3.get_object_legal_hold(**named)["LegalHold"] == {"Status": "ON"}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=named)["VersionId"]
    copy = {"Bucket": bucket, "Key": "copy", "VersionId": copied}
    assert "ObjectLockMode" not in s3.head_object(**copy)
    for read in (s3.get_object_retention, s3.get_object_legal_hold):
        with refused("NoSuchObjectLockConfiguration", 404):
            read(**copy)
    s3.delete_object(**copy)


def test_a_retained_version_is_not_deleted_but_may_be_covered(s3: Any, bucket: str) -> None:
    named = retained(s3, bucket, "COMPLIANCE")
    with refused("AccessDenied", 403) as error:
        s3.delete_object(**named, BypassGovernanceRetention=True)
    assert error["Message"] == "Access Denied because object protected by object lock."
    put(s3, bucket)
    marker = s3.delete_object(Bucket=bucket, Key="key")
    assert marker["DeleteMarker"] is True
    s3.delete_object(Bucket=bucket, Key="key", VersionId=marker["VersionId"])
    assert s3.get_object(**named)["Body"].read() == b"x"


def test_governance_gives_way_to_who_may_bypass_it(s3: Any, bucket: str) -> None:
    named = retained(s3, bucket, "GOVERNANCE")
    with refused("AccessDenied", 403):
        s3.delete_object(**named)
    s3.delete_object(**named, BypassGovernanceRetention=True)
    with refused("NoSuchVersion", 404):
        s3.get_object(**named)


def test_a_hold_lasts_until_it_is_lifted(s3: Any, bucket: str) -> None:
    named = put(s3, bucket)
    s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"})
    with refused("AccessDenied", 403):
        s3.delete_object(**named, BypassGovernanceRetention=True)
    s3.put_object_legal_hold(**named, LegalHold={"Status": "OFF"})
    assert s3.get_object_legal_hold(**named)["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(**named)


def test_many_deletes_say_which_were_refused(s3: Any, bucket: str) -> None:
    free, governed, held = put(s3, bucket), retained(s3, bucket, "GOVERNANCE"), retained(s3, bucket, "COMPLIANCE")
    wanted = [{"Key": "key", "VersionId": each["VersionId"]} for each in (free, governed, held)]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert answer["Deleted"] == wanted[:1]
    said = {"Code": "AccessDenied", "Message": "Access Denied because object protected by object lock."}
    assert answer["Errors"] == [each | said for each in wanted[1:]]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted[1:]}, BypassGovernanceRetention=True)
    assert answer["Deleted"] == wanted[1:2]
    assert answer["Errors"] == [wanted[2] | said]


def test_retention_is_lengthened_by_anybody_and_lessened_by_few(s3: Any, bucket: str) -> None:
    governed, held = retained(s3, bucket, "GOVERNANCE"), retained(s3, bucket, "COMPLIANCE")
    for named, mode in ((governed, "GOVERNANCE"), (held, "COMPLIANCE")):
        s3.put_object_retention(**named, Retention=retain(mode, LATER))
        assert s3.get_object_retention(**named)["Retention"] == retain(mode, LATER)
        for less in (retain(mode, TOMORROW), {}):
            with refused("AccessDenied", 403):
                s3.put_object_retention(**named, Retention=less)
    with refused("AccessDenied", 403):
        s3.put_object_retention(**governed, Retention=retain("COMPLIANCE", LATER))
    for less in (retain("COMPLIANCE", TOMORROW), retain("GOVERNANCE", LATER), {}):
        with refused("AccessDenied", 403):
            s3.put_object_retention(**held, Retention=less, BypassGovernanceRetention=True)
    s3.put_object_retention(**governed, Retention={}, BypassGovernanceRetention=True)
    with refused("NoSuchObjectLockConfiguration", 404):
        s3.get_object_retention(**governed)
    s3.delete_object(**governed)


@pytest.mark.parametrize(
    "lock",
    [
        {"ObjectLockMode": "GOVERNANCE"},
        {"ObjectLockRetainUntilDate": TOMORROW},
        {"ObjectLockMode": "OTHER", "ObjectLockRetainUntilDate": TOMORROW},
        {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": datetime(2020, 1, 1, tzinfo=UTC)},
        {"ObjectLockLegalHoldStatus": "MAYBE"},
    ],
)
def test_locks_that_cannot_be(s3: Any, bucket: str, lock: dict[str, Any]) -> None:
    with refused("InvalidArgument", 400):
        put(s3, bucket, **lock)


def test_retentions_that_cannot_be(s3: Any, bucket: str) -> None:
    named = put(s3, bucket)
    for retention in ({"Mode": "GOVERNANCE"}, {"RetainUntilDate": TOMORROW}, retain("OTHER", TOMORROW)):
        with refused("MalformedXML", 400):
            s3.put_object_retention(**named, Retention=retention)
    with refused("InvalidArgument", 400):
        s3.put_object_retention(**named, Retention=retain("GOVERNANCE", datetime(2020, 1, 1, tzinfo=UTC)))
    with refused("MalformedXML", 400):
        s3.put_object_legal_hold(**named, LegalHold={})


def test_a_bucket_that_does_not_lock_refuses_locks(s3: Any, plain: str) -> None:
    with refused("InvalidRequest", 400):
        put(s3, plain, ObjectLockLegalHoldStatus="ON")
    s3.put_object(Bucket=plain, Key="key", Body=b"x")
    named = {"Bucket": plain, "Key": "key"}
    for call in (
        lambda: s3.put_object_retention(**named, Retention=retain("GOVERNANCE", TOMORROW)),
        lambda: s3.get_object_retention(**named),
        lambda: s3.put_object_legal_hold(**named, LegalHold={"Status": "ON"}),
        lambda: s3.get_object_legal_hold(**named),
    ):
        with refused("InvalidRequest", 400) as error:
            call()
        assert error["Message"] == "Bucket is missing Object Lock Configuration"


def test_what_is_locked_comes_with_a_checksum(platform: Platform, bucket: str) -> None:
    s3 = platform.client("s3", request_checksum_calculation="when_required")
    with refused("InvalidRequest", 400):
        put(s3, bucket, ObjectLockLegalHoldStatus="ON")
    put(s3, bucket)
