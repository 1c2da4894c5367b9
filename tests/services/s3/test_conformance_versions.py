"""S3's contract, as boto3 sees it: versioning."""

from typing import Any

import pytest

from tests.services.s3.helpers import body_of, refused


@pytest.fixture
def versioned(s3: Any, bucket: str) -> str:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(s3: Any, bucket: str, key: str, content: bytes) -> str:
    version: str = s3.put_object(Bucket=bucket, Key=key, Body=content)["VersionId"]
    return version


def test_versioning_is_off_until_it_is_enabled(s3: Any, bucket: str) -> None:
    assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="key", Body=b"")
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == status
    with refused("MalformedXML", 400):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Off"})


def test_every_version_can_be_read(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, "key", b"1"), put(s3, versioned, "key", b"2")
    assert body_of(s3, versioned, "key") == b"2"
    assert body_of(s3, versioned, "key", VersionId=first) == b"1"
    assert s3.head_object(Bucket=versioned, Key="key")["VersionId"] == second
    source = {"Bucket": versioned, "Key": "key", "VersionId": first}
    copied = s3.copy_object(Bucket=versioned, Key="copy", CopySource=source)
    assert copied["CopySourceVersionId"] == first
    assert body_of(s3, versioned, "copy") == b"1"
    with refused("NoSuchVersion", 404):
        s3.get_object(Bucket=versioned, Key="key", VersionId="0" * 32)


def test_a_delete_marker_hides_and_its_removal_shows_again(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, "key", b"1")
    deleted = s3.delete_object(Bucket=versioned, Key="key")
    assert deleted["DeleteMarker"] is True
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=versioned, Key="key")
    assert "Contents" not in s3.list_objects_v2(Bucket=versioned)
    with refused("MethodNotAllowed", 405):
        s3.get_object(Bucket=versioned, Key="key", VersionId=deleted["VersionId"])
    assert body_of(s3, versioned, "key", VersionId=first) == b"1"
    removed = s3.delete_object(Bucket=versioned, Key="key", VersionId=deleted["VersionId"])
    assert removed["DeleteMarker"] is True
    assert body_of(s3, versioned, "key") == b"1"
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=versioned)["Contents"]] == ["key"]


def test_deleting_the_newest_version_uncovers_the_one_below(s3: Any, versioned: str) -> None:
    first, second = put(s3, versioned, "key", b"1"), put(s3, versioned, "key", b"2")
    s3.delete_object(Bucket=versioned, Key="key", VersionId=second)
    assert body_of(s3, versioned, "key") == b"1"
    s3.delete_object(Bucket=versioned, Key="key", VersionId=first)
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=versioned, Key="key")
    s3.delete_bucket(Bucket=versioned)


def test_suspended_versioning_replaces_the_null_version_only(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = put(s3, bucket, "key", b"kept")
    assert body_of(s3, bucket, "key", VersionId="null") == b"before"
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    s3.put_object(Bucket=bucket, Key="key", Body=b"after")
    assert body_of(s3, bucket, "key") == body_of(s3, bucket, "key", VersionId="null") == b"after"
    assert body_of(s3, bucket, "key", VersionId=kept) == b"kept"
    marker = s3.delete_object(Bucket=bucket, Key="key")
    assert (marker["DeleteMarker"], marker["VersionId"]) == (True, "null")
    assert body_of(s3, bucket, "key", VersionId=kept) == b"kept"


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_versions_are_listed_newest_first(s3: Any, versioned: str, size: int) -> None:
    expected = []
    for key in ("a", "b"):
        stack = [put(s3, versioned, key, str(number).encode()) for number in range(3)]
        stack.append(s3.delete_object(Bucket=versioned, Key=key)["VersionId"])
        expected += [(key, version, index == 0) for index, version in enumerate(reversed(stack))]
    paginator = s3.get_paginator("list_object_versions")
    found, markers = [], 0
    for page in paginator.paginate(Bucket=versioned, PaginationConfig={"PageSize": size}):
        markers += len(page.get("DeleteMarkers", []))
        entries = page.get("DeleteMarkers", []) + page.get("Versions", [])
        entries.sort(key=lambda entry: [each[1] for each in expected].index(entry["VersionId"]))
        found += [(entry["Key"], entry["VersionId"], entry["IsLatest"]) for entry in entries]
    assert found == expected
    assert markers == 2


def test_versions_roll_up_too(s3: Any, versioned: str) -> None:
    for key in ("a", "dir/1", "dir/1", "dir/2"):
        put(s3, versioned, key, b"")
    page = s3.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [each["Key"] for each in page["Versions"]] == ["a"]
    assert page["CommonPrefixes"] == [{"Prefix": "dir/"}]


def test_batch_delete_of_versions(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, "key", b"1")
    hidden = s3.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "key"}]})["Deleted"][0]
    assert hidden["DeleteMarker"] is True
    both = [{"Key": "key", "VersionId": hidden["DeleteMarkerVersionId"]}, {"Key": "key", "VersionId": first}]
    gone = s3.delete_objects(Bucket=versioned, Delete={"Objects": both})["Deleted"]
    assert {each["VersionId"] for each in gone} == {first, hidden["DeleteMarkerVersionId"]}
    assert "Versions" not in s3.list_object_versions(Bucket=versioned)


def test_tags_belong_to_a_version(s3: Any, versioned: str) -> None:
    first = put(s3, versioned, "key", b"1")
    put(s3, versioned, "key", b"2")
    tags = [{"Key": "stage", "Value": "old"}]
    s3.put_object_tagging(Bucket=versioned, Key="key", VersionId=first, Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=first)["TagSet"] == tags
    assert s3.get_object_tagging(Bucket=versioned, Key="key")["TagSet"] == []


def test_versions_are_listed_on_although_the_last_one_shown_is_gone(s3: Any, versioned: str) -> None:
    written = {put(s3, versioned, key, b"") for key in ("a", "a", "a", "b", "b", "c")}
    shown = set()
    paginator = s3.get_paginator("list_object_versions")
    for page in paginator.paginate(Bucket=versioned, PaginationConfig={"PageSize": 2}):
        for version in page["Versions"]:
            shown.add(version["VersionId"])
            s3.delete_object(Bucket=versioned, Key=version["Key"], VersionId=version["VersionId"])
    assert shown == written
    s3.delete_bucket(Bucket=versioned)


def test_a_version_marker_must_be_one(s3: Any, versioned: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.list_object_versions(Bucket=versioned, KeyMarker="key", VersionIdMarker="nonsense")
    assert (error["Message"], error["ArgumentName"]) == ("Invalid version id specified", "version-id-marker")
