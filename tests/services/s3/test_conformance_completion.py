"""S3's contract, as boto3 sees it: completing uploads, and what is said of them and of what came of them."""

import hashlib
import os
import threading
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.services.s3.helpers import body_of, refused

PART = os.urandom(5 << 20)
LAST = b"the last part"


def start(s3: Any, bucket: str, *bodies: bytes, **options: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An upload to `key` with these parts: how it is named, and what completing it takes."""
    algorithm = options.get("ChecksumAlgorithm", "CRC32")
    named = {"Bucket": bucket, "Key": "key"}
    named["UploadId"] = s3.create_multipart_upload(**named, **options)["UploadId"]
    parts = []
    for number, body in enumerate(bodies, 1):
        sent = s3.upload_part(**named, PartNumber=number, Body=body, ChecksumAlgorithm=algorithm)
        member = f"Checksum{algorithm}"
        parts.append({"PartNumber": number, "ETag": sent["ETag"], member: sent[member]})
    return named, parts


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_completing_again_is_answered_alike(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    named, parts = start(s3, bucket, PART, LAST)
    first = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    s3.delete_object(Bucket=bucket, Key="key")
    again = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    for member in ("ETag", "VersionId", "Location", "ChecksumCRC64NVME"):
        assert again[member] == first[member]
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")
    with refused("NoSuchUpload", 404):
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts[:1]})
    with refused("NoSuchUpload", 404):
        s3.complete_multipart_upload(**named | {"Key": "other"}, MultipartUpload={"Parts": parts})


def test_of_many_completions_at_once_all_succeed(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST)
    together = threading.Barrier(4)

    def complete(_: int) -> str:
        together.wait(timeout=30)
        etag: str = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})["ETag"]
        return etag

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(complete, range(4)))) == 1
    assert body_of(s3, bucket, "key") == PART + LAST


def test_a_completed_upload_is_forgotten_with_its_bucket(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, LAST)
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    with refused("NoSuchUpload", 404):
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})


def test_what_is_wrong_with_a_list_of_parts_is_named(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST)
    absent = {"PartNumber": 3, "ETag": parts[0]["ETag"]}
    with refused("InvalidPart", 400) as error:
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [*parts, absent]})
    assert (error["UploadId"], error["PartNumber"]) == (named["UploadId"], "3")
    assert error["ETag"] == parts[0]["ETag"].strip('"')
    with refused("InvalidPartOrder", 400) as error:
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts[::-1]})
    assert error["UploadId"] == named["UploadId"]


def test_a_composite_checksum_ends_in_the_number_of_parts(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST, ChecksumAlgorithm="SHA256")
    bare = b64encode(sha256(sha256(PART) + sha256(LAST))).decode()
    with refused("BadDigest", 400):
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, ChecksumSHA256=f"{bare}-3")
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, ChecksumSHA256=f"{bare}-2")
    assert (done["ChecksumSHA256"], done["ChecksumType"]) == (f"{bare}-2", "COMPOSITE")
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert head["ChecksumSHA256"] == f"{bare}-2"
    attributes = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["Checksum"])
    assert attributes["Checksum"] == {"ChecksumSHA256": bare, "ChecksumType": "COMPOSITE"}


def test_a_composite_checksum_needs_every_parts(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST, ChecksumAlgorithm="SHA256")
    del parts[1]["ChecksumSHA256"]
    with refused("InvalidRequest", 400) as error:
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    assert "missing for part 2" in error["Message"]
    with refused("InvalidRequest", 400):
        s3.upload_part(**named, PartNumber=3, Body=b"x", ChecksumAlgorithm="CRC32")
    with refused("InvalidRequest", 400):
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, ChecksumType="FULL_OBJECT")


@pytest.mark.parametrize(
    "options",
    [{"ChecksumType": "COMPOSITE"}, {"ChecksumAlgorithm": "CRC32", "ChecksumType": "HALF"}, {"ChecksumAlgorithm": "X"}],
)
def test_checksums_that_no_upload_has(s3: Any, bucket: str, options: dict[str, str]) -> None:
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", **options)


def test_parts_are_listed_from_a_marker_on(s3: Any, bucket: str) -> None:
    named, _ = start(s3, bucket, b"1", b"22", b"333")

    def page(**options: int) -> tuple[list[int], bool, int, int]:
        answer = s3.list_parts(**named, **options)
        numbers = [part["PartNumber"] for part in answer.get("Parts", [])]
        return numbers, answer["IsTruncated"], answer["PartNumberMarker"], answer["NextPartNumberMarker"]

    assert page() == ([1, 2, 3], False, 0, 3)
    assert page(MaxParts=2) == ([1, 2], True, 0, 2)
    assert page(MaxParts=2, PartNumberMarker=2) == ([3], False, 2, 3)
    assert page(PartNumberMarker=3) == ([], False, 3, 0)
    assert page(MaxParts=0) == ([], False, 0, 0)
    assert s3.list_parts(**named, MaxParts=5000)["MaxParts"] == 1000
    for options in ({"MaxParts": -1}, {"PartNumberMarker": -1}):
        with refused("InvalidArgument", 400):
            s3.list_parts(**named, **options)


def test_uploads_are_listed_on_although_the_last_one_shown_is_gone(s3: Any, bucket: str) -> None:
    for key in ("a", "b", "b", "c"):
        s3.create_multipart_upload(Bucket=bucket, Key=key)
    shown = []
    paginator = s3.get_paginator("list_multipart_uploads")
    for page in paginator.paginate(Bucket=bucket, PaginationConfig={"PageSize": 2}):
        for upload in page["Uploads"]:
            shown.append(upload["Key"])
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    assert shown == ["a", "b", "b", "c"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket, UploadIdMarker="0" * 32)


def test_the_parts_of_an_object_are_listed_where_its_checksum_is_made_of_theirs(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST, ChecksumAlgorithm="SHA256")
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})

    def page(**options: int) -> dict[str, Any]:
        asked = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts"], **options)
        answer: dict[str, Any] = asked["ObjectParts"]
        return answer

    first = page(MaxParts=1)
    assert (first["TotalPartsCount"], first["IsTruncated"], first["NextPartNumberMarker"]) == (2, True, 1)
    entry = {"PartNumber": 1, "Size": len(PART), "ChecksumSHA256": parts[0]["ChecksumSHA256"]}
    assert first["Parts"] == [entry]
    second = page(MaxParts=1, PartNumberMarker=1)
    assert ([part["PartNumber"] for part in second["Parts"]], second["IsTruncated"]) == ([2], False)
    with refused("InvalidArgument", 400):
        page(MaxParts=-1)


def test_the_parts_of_an_object_are_counted_where_its_checksum_is_of_the_whole(s3: Any, bucket: str) -> None:
    named, parts = start(s3, bucket, PART, LAST)
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})
    said = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=["ObjectParts", "ETag"])
    assert (said["ObjectParts"], said["ETag"][-2:]) == ({"TotalPartsCount": 2}, "-2")
    s3.put_object(Bucket=bucket, Key="whole", Body=b"x")
    assert "ObjectParts" not in s3.get_object_attributes(Bucket=bucket, Key="whole", ObjectAttributes=["ObjectParts"])
    with refused("InvalidArgument", 400) as error:
        s3.get_object_attributes(Bucket=bucket, Key="whole", ObjectAttributes=["ETag", "Owner"])
    assert error["ArgumentName"] == "x-amz-object-attributes"
