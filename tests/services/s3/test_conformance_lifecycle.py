"""S3's contract, as boto3 sees it: which lifecycle rules are kept, and how they are described."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.s3.helpers import refused

EVERYTHING: dict[str, Any] = {"Filter": {}, "Status": "Enabled"}
EXPIRES: dict[str, Any] = {"Expiration": {"Days": 400}}
TAG = {"Key": "stage", "Value": "old"}
MIDNIGHT = datetime(2030, 1, 1, tzinfo=UTC)


def put(s3: Any, bucket: str, *rules: dict[str, Any], **options: Any) -> Any:
    configuration = {"Rules": list(rules)}
    return s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=configuration, **options)


def kept(s3: Any, bucket: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    return rules


def to(storage_class: str, days: int) -> dict[str, Any]:
    return {"Days": days, "StorageClass": storage_class}


@pytest.mark.parametrize(
    "rule",
    [
        {"Filter": {"Prefix": "tmp/"}, "Expiration": {"Date": MIDNIGHT}},
        {"Filter": {"Tag": TAG}, **EXPIRES},
        {"Filter": {"ObjectSizeGreaterThan": 0}, **EXPIRES},
        {"Filter": {"And": {"Prefix": "a", "Tags": [TAG], "ObjectSizeLessThan": 9}}, **EXPIRES},
        {"Filter": {}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
        {"Filter": {}, "Transitions": [to("STANDARD_IA", 30), to("GLACIER", 60)], "Expiration": {"Days": 61}},
        {"Filter": {}, "Transitions": [to("GLACIER", 0), to("DEEP_ARCHIVE", 1)]},
        {"Filter": {}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 100}},
        {"Filter": {}, "NoncurrentVersionTransitions": [{"NoncurrentDays": 0, "StorageClass": "GLACIER_IR"}]},
        {"Filter": {"Prefix": "x"}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
        {"Prefix": "old/", **EXPIRES},
    ],
)
def test_rules_are_described_as_they_were_put(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    rule = {"ID": "one", "Status": "Disabled", **rule}
    put(s3, bucket, rule)
    assert kept(s3, bucket) == [rule]


def test_what_a_configuration_does_not_say_is_added(s3: Any, bucket: str) -> None:
    answer = put(s3, bucket, EVERYTHING | EXPIRES, EVERYTHING | {"Filter": {"Prefix": "a"}} | EXPIRES)
    assert answer["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    described = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert described["TransitionDefaultMinimumObjectSize"] == "all_storage_classes_128K"
    ids = {rule["ID"] for rule in described["Rules"]}
    assert len(ids) == 2
    assert all(ids)
    put(s3, bucket, EVERYTHING | EXPIRES, TransitionDefaultMinimumObjectSize="varies_by_storage_class")
    described = s3.get_bucket_lifecycle_configuration(Bucket=bucket)
    assert described["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"


@pytest.mark.parametrize(
    "rule",
    [
        {"Filter": {}, "Prefix": "a", **EXPIRES},
        {**EXPIRES},
        {"Filter": {"Prefix": "a", "Tag": TAG}, **EXPIRES},
        {"Filter": {"And": {"Prefix": "a"}}, **EXPIRES},
        {"Filter": {}, "Expiration": {}},
        {"Filter": {}, "Expiration": {"Days": 1, "Date": MIDNIGHT}},
        {"Filter": {}, "Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": True}},
        {"Filter": {}, "Transitions": [{"StorageClass": "GLACIER"}]},
        {"Filter": {}, "Transitions": [{"Days": 1}]},
        {"Filter": {}, "Transitions": [to("STANDARD", 1)]},
        {"Filter": {}, "NoncurrentVersionExpiration": {"NewerNoncurrentVersions": 1}},
        {"Filter": {}, "NoncurrentVersionTransitions": [{"StorageClass": "GLACIER"}]},
        {"Filter": {}, "AbortIncompleteMultipartUpload": {}},
        {"Filter": {}, "Status": "On", **EXPIRES},
    ],
)
def test_rules_that_are_none(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    with refused("MalformedXML", 400):
        put(s3, bucket, {"Status": "Enabled", **rule})
    with refused("NoSuchLifecycleConfiguration", 404) as error:
        kept(s3, bucket)
    assert error["BucketName"] == bucket


@pytest.mark.parametrize(
    ("code", "message", "rule"),
    [
        ("InvalidArgument", "ID length should not exceed", {"ID": "i" * 256, **EXPIRES}),
        ("InvalidRequest", "At least one action", {}),
        ("InvalidArgument", "positive integer", {"Expiration": {"Days": 0}}),
        ("InvalidArgument", "midnight GMT", {"Expiration": {"Date": MIDNIGHT + timedelta(hours=1)}}),
        ("InvalidArgument", "nonnegative", {"Transitions": [to("GLACIER", -1)]}),
        ("InvalidArgument", "equal to 30 for storageClass 'ONEZONE_IA'", {"Transitions": [to("ONEZONE_IA", 29)]}),
        ("InvalidArgument", "30 days more", {"Transitions": [to("STANDARD_IA", 30), to("GLACIER", 59)]}),
        ("InvalidArgument", "'GLACIER'", {"Transitions": [to("GLACIER", 9), to("DEEP_ARCHIVE", 9)]}),
        ("InvalidRequest", "must be different", {"Transitions": [to("GLACIER", 1), to("GLACIER", 2)]}),
        (
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Transition",
            {"Transitions": [to("GLACIER", 1), {"Date": MIDNIGHT, "StorageClass": "DEEP_ARCHIVE"}]},
        ),
        (
            "InvalidRequest",
            "Found mixed 'Date' and 'Days' based Expiration",
            {"Transitions": [to("GLACIER", 1)], "Expiration": {"Date": MIDNIGHT}},
        ),
        (
            "InvalidArgument",
            "'Days' in the Expiration action for filter '(prefix=)' must be greater",
            {"Transitions": [to("GLACIER", 9)], "Expiration": {"Days": 9}},
        ),
        ("InvalidArgument", "NoncurrentDays", {"NoncurrentVersionExpiration": {"NoncurrentDays": 0}}),
        (
            "InvalidArgument",
            "NewerNoncurrentVersions",
            {"NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 101}},
        ),
        (
            "InvalidArgument",
            "must be greater than 'NoncurrentDays'",
            {
                "NoncurrentVersionTransitions": [{"NoncurrentDays": 5, "StorageClass": "GLACIER"}],
                "NoncurrentVersionExpiration": {"NoncurrentDays": 5},
            },
        ),
        ("InvalidArgument", "positive integer", {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 0}}),
        (
            "InvalidRequest",
            "cannot be specified with Tags",
            {"Filter": {"Tag": TAG}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
        ),
        (
            "InvalidRequest",
            "cannot be specified with Object Size",
            {"Filter": {"ObjectSizeLessThan": 5}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
        ),
        ("InvalidRequest", "Duplicate Tag Keys", {"Filter": {"And": {"Tags": [TAG, TAG]}}, **EXPIRES}),
        ("InvalidTag", "", {"Filter": {"Tag": {"Key": "k" * 129, "Value": ""}}, **EXPIRES}),
        ("InvalidRequest", "size of a prefix", {"Filter": {"Prefix": "p" * 1025}, **EXPIRES}),
        (
            "InvalidRequest",
            "has to be a value greater",
            {"Filter": {"And": {"ObjectSizeGreaterThan": 5, "ObjectSizeLessThan": 5}}, **EXPIRES},
        ),
        ("InvalidRequest", "between 1 and", {"Filter": {"ObjectSizeLessThan": 0}, **EXPIRES}),
    ],
)
def test_rules_that_make_no_sense(s3: Any, bucket: str, code: str, message: str, rule: dict[str, Any]) -> None:
    with refused(code, 400) as error:
        put(s3, bucket, EVERYTHING | rule)
    assert message in error["Message"]


def test_rules_that_do_not_go_together(s3: Any, bucket: str) -> None:
    rule = EVERYTHING | EXPIRES
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, rule | {"ID": "same"}, rule | {"ID": "same"})
    assert error["Message"].startswith("Rule ID must be unique")
    old = {"Status": "Enabled", "Prefix": "a", **EXPIRES}
    with refused("InvalidRequest", 400) as error:
        put(s3, bucket, old, old)
    assert error["Message"] == "Found two rules with same prefix 'a'"
    with refused("InvalidRequest", 400) as error:
        put(s3, bucket, old, rule)
    assert error["Message"].startswith("Base level prefix cannot be used")
    with refused("MalformedXML", 400):
        put(s3, bucket, *[rule | {"ID": str(number)} for number in range(1001)])
    put(s3, bucket, *[rule | {"ID": str(number)} for number in range(1000)])
    assert len(kept(s3, bucket)) == 1000


def test_objects_tell_when_they_expire(s3: Any, bucket: str) -> None:
    put(s3, bucket, EVERYTHING | {"ID": "a b", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}})
    now = datetime.now(UTC)
    midnights = [now.replace(hour=0, minute=0, second=0) + timedelta(days=days) for days in (4, 5)]
    possible = [f'expiry-date="{each:%a, %d %b %Y %H:%M:%S GMT}", rule-id="a%20b"' for each in midnights]
    named = {"Bucket": bucket, "Key": "tmp/key"}
    said = s3.put_object(**named, Body=b"x")["Expiration"]
    assert said in possible  # the second only where midnight passed in between
    assert s3.get_object(**named)["Expiration"] == s3.head_object(**named)["Expiration"] == said
    copied = s3.copy_object(Bucket=bucket, Key="tmp/copy", CopySource=named)
    assert copied["Expiration"] in possible
    assert "Expiration" not in s3.put_object(Bucket=bucket, Key="kept", Body=b"x")


def test_uploads_tell_when_they_are_aborted(s3: Any, bucket: str) -> None:
    put(s3, bucket, EVERYTHING | {"ID": "abort", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}})
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")
    assert upload["AbortRuleId"] == "abort"
    assert timedelta(days=1) <= upload["AbortDate"] - datetime.now(UTC) + timedelta(minutes=1) <= timedelta(days=2)
    listed = s3.list_parts(Bucket=bucket, Key="key", UploadId=upload["UploadId"])
    assert (listed["AbortDate"], listed["AbortRuleId"]) == (upload["AbortDate"], "abort")
