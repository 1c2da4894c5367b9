"""S3's contract, as boto3 sees it: parts and ranges of objects, and what is said of objects that are not sent."""

import os
import zlib
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.services.s3.helpers import refused

PART = os.urandom(5 << 20)
LAST = b"the last part"


def crc32(content: bytes) -> str:
    return b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@pytest.fixture(params=["get_object", "head_object"])
def read(s3: Any, request: pytest.FixtureRequest) -> Callable[..., Any]:
    call: Callable[..., Any] = getattr(s3, request.param)
    return call


def status_of(answer: dict[str, Any]) -> int:
    status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status


def upload(s3: Any, bucket: str, *bodies: bytes, **options: Any) -> None:
    named = {"Bucket": bucket, "Key": "key"}
    named["UploadId"] = s3.create_multipart_upload(**named, **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        sent = s3.upload_part(**named, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32")
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC32": sent["ChecksumCRC32"]})
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})


@pytest.mark.parametrize(
    ("header", "said", "length"),
    [("bytes=2-4", "bytes 2-4/10", 3), ("bytes=0-", "bytes 0-9/10", 10), ("bytes=-4", "bytes 6-9/10", 4)],
)
def test_a_range_is_answered_with_206(
    s3: Any, bucket: str, read: Callable[..., Any], header: str, said: str, length: int
) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    answer = read(Bucket=bucket, Key="key", Range=header)
    assert (status_of(answer), answer["ContentRange"], answer["ContentLength"]) == (206, said, length)


def test_a_range_behind_the_end_says_where_that_is(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    with refused("InvalidRange", 416) as error:
        s3.get_object(Bucket=bucket, Key="key", Range="bytes=10-")
    assert (error["ActualObjectSize"], error["RangeRequested"]) == ("10", "bytes=10-")
    assert error["Headers"]["content-range"] == "bytes */10"


def test_a_part_is_answered_with_206_and_the_number_of_parts(s3: Any, bucket: str, read: Callable[..., Any]) -> None:
    upload(s3, bucket, PART, LAST)
    answer = read(Bucket=bucket, Key="key", PartNumber=2)
    size = len(PART + LAST)
    assert (status_of(answer), answer["ContentRange"]) == (206, f"bytes {len(PART)}-{size - 1}/{size}")
    assert (answer["ContentLength"], answer["PartsCount"]) == (len(LAST), 2)


def test_an_object_put_whole_has_one_part(s3: Any, bucket: str, read: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    answer = read(Bucket=bucket, Key="key", PartNumber=1)
    assert (status_of(answer), answer["ContentRange"]) == (206, "bytes 0-9/10")
    assert "PartsCount" not in answer


def test_parts_that_are_not_there(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"0123456789")
    with refused("InvalidPartNumber", 416) as error:
        s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert (error["PartNumberRequested"], error["ActualPartCount"]) == ("2", "1")
    with refused("416", 416):
        s3.head_object(Bucket=bucket, Key="key", PartNumber=2)
    for number in (0, 10_001):
        with refused("InvalidArgument", 400):
            s3.get_object(Bucket=bucket, Key="key", PartNumber=number)
    with refused("InvalidRequest", 400):
        s3.get_object(Bucket=bucket, Key="key", PartNumber=1, Range="bytes=0-1")


def test_a_part_has_its_own_checksum_where_the_objects_is_made_of_them(
    s3: Any, bucket: str, read: Callable[..., Any]
) -> None:
    upload(s3, bucket, PART, LAST, ChecksumAlgorithm="CRC32")
    answer = read(Bucket=bucket, Key="key", PartNumber=2, ChecksumMode="ENABLED")
    assert (answer["ChecksumCRC32"], answer["ChecksumType"]) == (crc32(LAST), "COMPOSITE")
    whole = read(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert whole["ChecksumCRC32"].endswith("==-2")
    assert "ChecksumCRC32" not in read(Bucket=bucket, Key="key", Range="bytes=0-3", ChecksumMode="ENABLED")


def test_a_part_has_no_checksum_where_the_objects_is_of_the_whole(
    s3: Any, bucket: str, read: Callable[..., Any]
) -> None:
    upload(s3, bucket, PART, LAST, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT")
    assert "ChecksumCRC32" not in read(Bucket=bucket, Key="key", PartNumber=2, ChecksumMode="ENABLED")
    assert read(Bucket=bucket, Key="key", ChecksumMode="ENABLED")["ChecksumCRC32"] == crc32(PART + LAST)


def test_what_is_not_modified_is_still_identified(s3: Any, bucket: str, read: Callable[..., Any]) -> None:
    expires = datetime(2030, 1, 1, tzinfo=UTC)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"x", CacheControl="max-age=60", Expires=expires)
    with refused("304", 304) as error:
        read(Bucket=bucket, Key="key", IfNoneMatch=put["ETag"])
    said = error["Headers"]
    assert (said["etag"], said["cache-control"]) == (put["ETag"], "max-age=60")
    assert (said["x-amz-version-id"], said["expires"]) == (put["VersionId"], "Tue, 01 Jan 2030 00:00:00 GMT")
    assert "last-modified" in said


def test_the_answer_may_be_asked_to_expire(s3: Any, bucket: str, read: Callable[..., Any]) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    answer = read(Bucket=bucket, Key="key", ResponseExpires=datetime(2030, 1, 1, tzinfo=UTC))
    assert answer["ExpiresString"] == "Tue, 01 Jan 2030 00:00:00 GMT"


def test_versions_that_nobody_gave_out(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    named = {"Bucket": bucket, "Key": "key", "VersionId": "nonsense"}
    for call in (s3.get_object, s3.get_object_tagging, s3.delete_object):
        with refused("InvalidArgument", 400) as error:
            call(**named)
        assert (error["Message"], error["ArgumentName"]) == ("Invalid version id specified", "versionId")
    with refused("400", 400):
        s3.head_object(**named)
    with refused("InvalidArgument", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=named)


def test_a_delete_marker_says_what_it_is(s3: Any, bucket: str, read: Callable[..., Any]) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    head = read.__name__ == "head_object"
    with refused("404" if head else "NoSuchKey", 404) as error:
        read(Bucket=bucket, Key="key")
    assert (error["Headers"]["x-amz-delete-marker"], error["Headers"]["x-amz-version-id"]) == ("true", marker)
    with refused("405" if head else "MethodNotAllowed", 405) as error:
        read(Bucket=bucket, Key="key", VersionId=marker)
    said = error["Headers"]
    assert (said["x-amz-delete-marker"], said["x-amz-version-id"], said["allow"]) == ("true", marker, "DELETE")
    assert datetime.now(UTC) - datetime.strptime(said["last-modified"], "%a, %d %b %Y %H:%M:%S GMT").replace(
        tzinfo=UTC
    ) < timedelta(minutes=1)


def test_a_delete_marker_is_no_source_of_a_copy(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    source = {"Bucket": bucket, "Key": "key"}
    marker = s3.delete_object(**source)["VersionId"]
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source | {"VersionId": marker})


def test_every_answer_names_its_call(s3: Any, bucket: str) -> None:
    answered = s3.put_object(Bucket=bucket, Key="key", Body=b"")["ResponseMetadata"]
    assert answered["RequestId"]
    assert answered["HostId"]
    with refused("404", 404) as error:
        s3.head_object(Bucket=bucket, Key="absent")
    assert error["Headers"]["x-amz-request-id"]
    assert error["Headers"]["x-amz-id-2"]


def test_what_is_missing_is_named(s3: Any, bucket: str) -> None:
    absent = {"Bucket": bucket, "Key": "ab sent/ü"}
    with refused("NoSuchKey", 404) as error:
        s3.get_object(**absent)
    assert error["Key"] == "ab sent/ü"
    with refused("NoSuchBucket", 404) as error:
        s3.get_object(Bucket="no-such-bucket", Key="key")
    assert error["BucketName"] == "no-such-bucket"
    with refused("NoSuchUpload", 404) as error:
        s3.list_parts(**absent, UploadId="0" * 32)
    assert error["UploadId"] == "0" * 32
    version = "0" * 32
    with refused("NoSuchVersion", 404) as error:
        s3.get_object(**absent, VersionId=version)
    assert (error["Key"], error["VersionId"]) == (absent["Key"], version)
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    with refused("BucketNotEmpty", 409) as error:
        s3.delete_bucket(Bucket=bucket)
    assert error["BucketName"] == bucket
