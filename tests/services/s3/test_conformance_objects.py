"""S3's contract, as boto3 sees it: objects, their metadata, ranges, copies and deletes."""

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.services.s3.helpers import body_of, put_all, refused

ODD_KEYS = [
    "a",
    "a/b",
    "a//b",
    "a/",
    "/leading",
    "//",
    ".",
    "..",
    "../up",
    "a/../../../etc/passwd",
    "trailing/.",
    "with space",
    "plus+sign",
    "percent%20sign",
    "question?mark&and=more",
    "hash#mark",
    "back\\slash",
    "quotes'\"`",
    "angle<brackets>&amp;",
    "tab\there",
    "new\nline",
    "bell\x07",
    "ünïcödé",
    "日本語",
    "emoji-😀",
    "k" * 1024,
]


def test_what_is_put_is_got(s3: Any, bucket: str) -> None:
    for size in (0, 1, 1000, 1 << 20, (3 << 20) + 7):
        content = os.urandom(size)
        put = s3.put_object(Bucket=bucket, Key="key", Body=content)
        got = s3.get_object(Bucket=bucket, Key="key")
        assert got["Body"].read() == content
        assert got["ContentLength"] == size
        assert put["ETag"] == got["ETag"] == f'"{hashlib.md5(content).hexdigest()}"'
        assert abs(got["LastModified"] - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("key", ODD_KEYS, ids=range(len(ODD_KEYS)))
def test_any_key_is_a_key_and_never_a_path(s3: Any, bucket: str, key: str) -> None:
    others = [other for other in ("a", "a/b", "etc/passwd", "up") if other != key]
    put_all(s3, bucket, *others)
    s3.put_object(Bucket=bucket, Key=key, Body=b"odd")
    assert body_of(s3, bucket, key) == b"odd"
    assert all(body_of(s3, bucket, other) == other.encode() for other in others)
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert listed == sorted([key, *others], key=str.encode)
    s3.delete_object(Bucket=bucket, Key=key)
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key=key)
    assert all(body_of(s3, bucket, other) == other.encode() for other in others)


def test_a_key_has_at_most_1024_bytes(s3: Any, bucket: str) -> None:
    for key in ("k" * 1025, "é" * 513):
        with refused("KeyTooLongError", 400):
            s3.put_object(Bucket=bucket, Key=key, Body=b"")


def test_metadata_and_headers_come_back(s3: Any, bucket: str) -> None:
    said = {
        "ContentType": "text/csv; charset=utf-8",
        "CacheControl": "max-age=60",
        "ContentDisposition": 'attachment; filename="data.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"origin": "test", "two-words": "a b"},
    }
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", **said)
    for answer in (s3.head_object(Bucket=bucket, Key="key"), s3.get_object(Bucket=bucket, Key="key")):
        assert {name: answer[name] for name in said} == said
    s3.put_object(Bucket=bucket, Key="plain", Body=b"x")
    plain = s3.head_object(Bucket=bucket, Key="plain")
    assert (plain["ContentType"], plain["Metadata"]) == ("binary/octet-stream", {})


def test_a_get_may_ask_for_other_headers(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", ContentType="text/plain")
    answer = s3.get_object(
        Bucket=bucket, Key="key", ResponseContentType="image/png", ResponseContentDisposition="inline"
    )
    assert (answer["ContentType"], answer["ContentDisposition"]) == ("image/png", "inline")


def test_too_much_metadata(s3: Any, bucket: str) -> None:
    with refused("MetadataTooLarge", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", Metadata={"much": "x" * 2049})


@pytest.mark.parametrize(
    ("header", "expected", "said"),
    [
        ("bytes=0-4", b"01234", "bytes 0-4/10"),
        ("bytes=5-", b"56789", "bytes 5-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=8-100", b"89", "bytes 8-9/10"),
        ("bytes=0-0", b"0", "bytes 0-0/10"),
    ],
)
def test_ranges(s3: Any, bucket: str, header: str, expected: bytes, said: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    answer = s3.get_object(Bucket=bucket, Key="key", Range=header)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert (answer["Body"].read(), answer["ContentRange"]) == (expected, said)


def test_ranges_that_cannot_be(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    with refused("InvalidRange", 416):
        s3.get_object(Bucket=bucket, Key="key", Range="bytes=10-")
    assert body_of(s3, bucket, "key", Range="nonsense") == b"0123456789"


def test_missing_keys(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="absent")
    with refused("404", 404):
        s3.head_object(Bucket=bucket, Key="absent")
    assert s3.delete_object(Bucket=bucket, Key="absent")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_batch_delete(s3: Any, bucket: str) -> None:
    put_all(s3, bucket, "a", "b", "c/d", "kept")
    wanted = [{"Key": key} for key in ("a", "b", "c/d", "absent")]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert sorted(each["Key"] for each in answer["Deleted"]) == ["a", "absent", "b", "c/d"]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["kept"]
    quiet = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "kept"}], "Quiet": True})
    assert "Deleted" not in quiet
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_copy_keeps_or_replaces_metadata(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a b/source+ü", Body=b"x", ContentType="text/plain", Metadata={"k": "v"})
    source = {"Bucket": bucket, "Key": "a b/source+ü"}
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    head = s3.head_object(Bucket=bucket, Key="copy")
    assert (head["ContentType"], head["Metadata"]) == ("text/plain", {"k": "v"})
    assert copied["CopyObjectResult"]["ETag"] == head["ETag"]
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "one"})
    assert s3.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"new": "one"}
    s3.delete_object(Bucket=bucket, Key="a b/source+ü")
    assert body_of(s3, bucket, "copy") == b"x"


def test_copy_onto_itself_must_change_something(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    source = {"Bucket": bucket, "Key": "key"}
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="key", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="key", CopySource=source, MetadataDirective="REPLACE", Metadata={"a": "b"})
    assert body_of(s3, bucket, "key") == b"x"
    assert s3.head_object(Bucket=bucket, Key="key")["Metadata"] == {"a": "b"}


@pytest.mark.parametrize("change", [{"MetadataDirective": "REPLACE"}, {"StorageClass": "STANDARD_IA"}])
@pytest.mark.parametrize("versioning", ["", "Suspended"])
def test_what_was_copied_onto_itself_lives_on(s3: Any, bucket: str, versioning: str, change: dict[str, str]) -> None:
    if versioning:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": versioning})
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for _ in range(2):
        s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key"}, **change)
        assert body_of(s3, bucket, "key") == b"x"
    s3.put_object(Bucket=bucket, Key="key", Body=b"y")
    assert body_of(s3, bucket, "key") == b"y"
    s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key"}, **change)
    s3.delete_object(Bucket=bucket, Key="key")
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")


def test_copy_of_what_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "absent"})
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": "no-such-bucket", "Key": "absent"})


def test_tags(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"content", Tagging="a=1&b=two%20words")
    tags = [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "two words"}]
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == tags
    assert s3.get_object(Bucket=bucket, Key="key")["TagCount"] == 2
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": tags[:1]})
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == tags[:1]
    assert body_of(s3, bucket, "key") == b"content"
    s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "key"})
    assert s3.get_object_tagging(Bucket=bucket, Key="copy")["TagSet"] == tags[:1]
    s3.delete_object_tagging(Bucket=bucket, Key="key")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []
    with refused("InvalidTag", 400):
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": [tags[0], tags[0]]})
    with refused("BadRequest", 400):
        many = [{"Key": str(number), "Value": ""} for number in range(11)]
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": many})


def test_attributes(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    asked = ["ETag", "ObjectSize", "StorageClass", "Checksum"]
    attributes = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=asked)
    assert attributes["ETag"] == put["ETag"].strip('"')
    assert (attributes["ObjectSize"], attributes["StorageClass"]) == (7, "STANDARD")
    assert attributes["Checksum"]["ChecksumCRC32"] == put["ChecksumCRC32"]
    assert "ETag" not in s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectSize"])


def test_readers_see_whole_objects_while_they_are_replaced(s3: Any, bucket: str) -> None:
    bodies = [bytes([value]) * 200_000 for value in range(40)]
    s3.put_object(Bucket=bucket, Key="key", Body=bodies[0])
    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(s3.put_object, Bucket=bucket, Key="key", Body=body) for body in bodies]
        reading = [pool.submit(body_of, s3, bucket, "key") for _ in range(80)]
    for write in writing:
        write.result()
    assert all(read.result() in bodies for read in reading)


def test_an_unsigned_call_is_refused(s3: Any, bucket: str) -> None:
    anonymous = boto3.client(
        "s3",
        endpoint_url=s3.meta.endpoint_url,
        region_name="us-east-1",
        config=Config(signature_version=UNSIGNED, s3={"addressing_style": "path"}),
    )
    s3.put_object(Bucket=bucket, Key="key", Body=b"secret")
    with pytest.raises(ClientError) as error:
        anonymous.get_object(Bucket=bucket, Key="key")
    assert error.value.response["Error"]["Code"] == "AccessDenied"
