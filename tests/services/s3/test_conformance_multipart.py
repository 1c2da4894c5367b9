"""S3's contract, as boto3 sees it: multipart uploads."""

import hashlib
import io
import os
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig

from tests.services.s3.helpers import body_of, refused

MIB = 1 << 20
PART = os.urandom(5 * MIB)
LAST = b"the last part may be small"


def start(s3: Any, bucket: str, **options: Any) -> str:
    upload: str = s3.create_multipart_upload(Bucket=bucket, Key="key", **options)["UploadId"]
    return upload


def send(s3: Any, bucket: str, upload: str, number: int, body: bytes) -> dict[str, Any]:
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    answer = s3.upload_part(**named, PartNumber=number, Body=body)
    return {"PartNumber": number, "ETag": answer["ETag"]}


def complete(s3: Any, bucket: str, upload: str, parts: list[dict[str, Any]], **options: Any) -> Any:
    chosen = {"Parts": parts}
    return s3.complete_multipart_upload(Bucket=bucket, Key="key", UploadId=upload, MultipartUpload=chosen, **options)


def test_parts_become_one_object(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket, ContentType="text/plain", Metadata={"k": "v"})
    parts = [send(s3, bucket, upload, 7, LAST), send(s3, bucket, upload, 2, PART)]
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")
    completed = complete(s3, bucket, upload, parts[::-1])
    digests = hashlib.md5(PART).digest() + hashlib.md5(LAST).digest()
    assert completed["ETag"] == f'"{hashlib.md5(digests).hexdigest()}-2"'
    assert (completed["Bucket"], completed["Key"]) == (bucket, "key")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert got["Body"].read() == PART + LAST
    assert (got["ContentType"], got["Metadata"], got["ETag"]) == ("text/plain", {"k": "v"}, completed["ETag"])
    with refused("NoSuchUpload", 404):
        s3.list_parts(Bucket=bucket, Key="key", UploadId=upload)


def test_a_single_small_part(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    complete(s3, bucket, upload, [send(s3, bucket, upload, 1, b"small")])
    assert body_of(s3, bucket, "key") == b"small"


def test_a_part_can_be_sent_again(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    old = send(s3, bucket, upload, 1, b"old")
    new = send(s3, bucket, upload, 1, b"new")
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, [old])
    complete(s3, bucket, upload, [new])
    assert body_of(s3, bucket, "key") == b"new"


def test_what_cannot_be_completed(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, 1, b"small"), send(s3, bucket, upload, 2, LAST)]
    with refused("EntityTooSmall", 400):
        complete(s3, bucket, upload, parts)
    with refused("InvalidPartOrder", 400):
        complete(s3, bucket, upload, parts[::-1])
    with refused("InvalidPart", 400):
        complete(s3, bucket, upload, [{"PartNumber": 3, "ETag": parts[0]["ETag"]}])
    with refused("NoSuchUpload", 404):
        complete(s3, bucket, "0" * 32, parts)
    with refused("InvalidArgument", 400):
        send(s3, bucket, upload, 10_001, b"")


def test_parts_and_uploads_are_listed(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    for number in (1, 2, 3):
        send(s3, bucket, upload, number, b"x" * number)
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    pages = s3.get_paginator("list_parts").paginate(**named, PaginationConfig={"PageSize": 2})
    found = [[(part["PartNumber"], part["Size"]) for part in page["Parts"]] for page in pages]
    assert found == [[(1, 1), (2, 2)], [(3, 3)]]
    other = s3.create_multipart_upload(Bucket=bucket, Key="dir/other")["UploadId"]
    listed = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert [(each["Key"], each["UploadId"]) for each in listed] == [("dir/other", other), ("key", upload)]
    assert [each["Key"] for each in s3.list_multipart_uploads(Bucket=bucket, Prefix="k")["Uploads"]] == ["key"]
    rolled = s3.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert (rolled["CommonPrefixes"], len(rolled["Uploads"])) == ([{"Prefix": "dir/"}], 1)


def test_uploads_of_one_key_are_listed_in_pages(s3: Any, bucket: str) -> None:
    uploads = [start(s3, bucket) for _ in range(3)]
    pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, PaginationConfig={"PageSize": 1})
    assert [each["UploadId"] for page in pages for each in page["Uploads"]] == uploads


def test_an_aborted_upload_is_gone(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    send(s3, bucket, upload, 1, b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="key", UploadId=upload)
    with refused("NoSuchUpload", 404):
        send(s3, bucket, upload, 1, b"x")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    s3.delete_bucket(Bucket=bucket)


def test_parts_are_copied_whole_or_in_ranges(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=PART + LAST)
    upload = start(s3, bucket)
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    source = {"Bucket": bucket, "Key": "source"}
    end = len(PART + LAST) - 1
    answers = [
        s3.upload_part_copy(**named, PartNumber=1, CopySource=source),
        s3.upload_part_copy(**named, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={len(PART)}-{end}"),
    ]
    etags = [answer["CopyPartResult"]["ETag"] for answer in answers]
    assert etags[1] == f'"{hashlib.md5(LAST).hexdigest()}"'
    with refused("InvalidArgument", 400):
        s3.upload_part_copy(**named, PartNumber=3, CopySource=source, CopySourceRange=f"bytes=0-{end + 1}")
    complete(s3, bucket, upload, [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)])
    s3.delete_object(Bucket=bucket, Key="source")
    assert body_of(s3, bucket, "key") == PART + LAST + LAST


def test_parts_are_copied_from_small_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="source", Body=LAST)
    upload = start(s3, bucket)
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload, "PartNumber": 1}
    copied = s3.upload_part_copy(**named, CopySource={"Bucket": bucket, "Key": "source"}, CopySourceRange="bytes=4-7")
    complete(s3, bucket, upload, [{"PartNumber": 1, "ETag": copied["CopyPartResult"]["ETag"]}])
    assert body_of(s3, bucket, "key") == LAST[4:8]


def test_a_part_can_be_read_by_its_number(s3: Any, bucket: str) -> None:
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, 1, PART), send(s3, bucket, upload, 2, LAST)]
    complete(s3, bucket, upload, parts)
    second = s3.get_object(Bucket=bucket, Key="key", PartNumber=2)
    assert (second["Body"].read(), second["PartsCount"]) == (LAST, 2)
    assert s3.head_object(Bucket=bucket, Key="key", PartNumber=1)["ContentLength"] == len(PART)


def test_conditional_completion(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"there already")
    upload = start(s3, bucket)
    parts = [send(s3, bucket, upload, 1, b"x")]
    with refused("PreconditionFailed", 412):
        complete(s3, bucket, upload, parts, IfNoneMatch="*")
    assert body_of(s3, bucket, "key") == b"there already"


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_boto3_transfers_files_with_any_checksum(s3: Any, bucket: str, algorithm: str) -> None:
    content = os.urandom(11 * MIB)
    in_parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    options = {"ChecksumAlgorithm": algorithm}
    s3.upload_fileobj(io.BytesIO(content), bucket, "key", Config=in_parts, ExtraArgs=options)
    head = s3.head_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert head["ChecksumType"] == "COMPOSITE"
    assert head[f"Checksum{algorithm}"].endswith("-3")
    received = io.BytesIO()
    s3.download_fileobj(bucket, "key", received, Config=in_parts)
    assert received.getvalue() == content
    asked = ["ObjectParts"]
    parts = s3.get_object_attributes(Bucket=bucket, Key="key", ObjectAttributes=asked)["ObjectParts"]
    assert parts["TotalPartsCount"] == 3
    assert [part["Size"] for part in parts["Parts"]] == [5 * MIB, 5 * MIB, MIB]
