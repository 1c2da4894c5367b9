"""S3's contract, as boto3 sees it: listings."""

from typing import Any

import pytest

from tests.services.s3.helpers import put_all, refused

KEYS = ["a.txt", "dir/one", "dir/sub/deep", "dir/two", "dir2/x", "other", "z/"]


@pytest.fixture
def filled(s3: Any, bucket: str) -> str:
    put_all(s3, bucket, *KEYS)
    return bucket


def shown(page: dict[str, Any]) -> tuple[list[str], list[str]]:
    keys = [item["Key"] for item in page.get("Contents", [])]
    return keys, [item["Prefix"] for item in page.get("CommonPrefixes", [])]


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
def test_prefix_and_delimiter(s3: Any, filled: str, operation: str) -> None:
    list_ = getattr(s3, operation)
    assert shown(list_(Bucket=filled)) == (KEYS, [])
    assert shown(list_(Bucket=filled, Prefix="dir/")) == (["dir/one", "dir/sub/deep", "dir/two"], [])
    assert shown(list_(Bucket=filled, Delimiter="/")) == (["a.txt", "other"], ["dir/", "dir2/", "z/"])
    assert shown(list_(Bucket=filled, Prefix="dir/", Delimiter="/")) == (["dir/one", "dir/two"], ["dir/sub/"])
    assert shown(list_(Bucket=filled, Prefix="dir", Delimiter="/")) == ([], ["dir/", "dir2/"])
    assert shown(list_(Bucket=filled, Delimiter="ir")) == (["a.txt", "other", "z/"], ["dir"])
    assert shown(list_(Bucket=filled, Prefix="absent")) == ([], [])


@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2"])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
@pytest.mark.parametrize("options", [{}, {"Delimiter": "/"}, {"Prefix": "dir/", "Delimiter": "/"}])
def test_pages_join_to_the_whole(s3: Any, filled: str, operation: str, size: int, options: dict[str, str]) -> None:
    whole = shown(getattr(s3, operation)(Bucket=filled, **options))
    pages = list(s3.get_paginator(operation).paginate(Bucket=filled, PaginationConfig={"PageSize": size}, **options))
    joined = [[name for page in pages for name in shown(page)[part]] for part in (0, 1)]
    assert joined == list(whole)
    assert all(0 < sum(map(len, shown(page))) <= size for page in pages)
    assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


def test_v2_says_what_it_was_asked(s3: Any, filled: str) -> None:
    page = s3.list_objects_v2(Bucket=filled, Prefix="dir/", MaxKeys=2, FetchOwner=True)
    assert (page["Name"], page["Prefix"], page["MaxKeys"], page["KeyCount"]) == (filled, "dir/", 2, 2)
    assert all("Owner" in item and item["StorageClass"] == "STANDARD" for item in page["Contents"])
    rest = s3.list_objects_v2(Bucket=filled, Prefix="dir/", ContinuationToken=page["NextContinuationToken"])
    assert rest["ContinuationToken"] == page["NextContinuationToken"]
    assert shown(rest)[0] == ["dir/two"]
    after = s3.list_objects_v2(Bucket=filled, StartAfter="dir/two")
    assert (shown(after)[0], after["StartAfter"]) == (["dir2/x", "other", "z/"], "dir/two")
    nothing = s3.list_objects_v2(Bucket=filled, MaxKeys=0)
    assert (shown(nothing), nothing["IsTruncated"]) == (([], []), False)
    for token in ("", "%"):
        with refused("InvalidArgument", 400):
            s3.list_objects_v2(Bucket=filled, ContinuationToken=token)


def test_entries_describe_their_objects(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    (entry,) = s3.list_objects_v2(Bucket=bucket)["Contents"]
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (entry["Size"], entry["ETag"]) == (7, put["ETag"])
    assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]


def test_a_marker_that_is_no_key(s3: Any, filled: str) -> None:
    assert shown(s3.list_objects(Bucket=filled, Marker="dir/oneandahalf"))[0] == KEYS[2:]
    assert shown(s3.list_objects(Bucket=filled, Marker="zz"))[0] == []


def test_objects_that_come_and_go_between_pages(s3: Any, filled: str) -> None:
    first = s3.list_objects_v2(Bucket=filled, MaxKeys=3)
    s3.delete_object(Bucket=filled, Key="dir/sub/deep")
    put_all(s3, filled, "aaa", "dir/three")
    rest = s3.list_objects_v2(Bucket=filled, ContinuationToken=first["NextContinuationToken"])
    assert shown(rest)[0] == ["dir/three", "dir/two", "dir2/x", "other", "z/"]
