"""S3's contract, as boto3 sees it: checksums and Content-MD5."""

import hashlib
import zlib
from base64 import b64encode
from typing import Any

import anycrc
import pytest

from tests.services.s3.helpers import body_of, refused

CRC64NVME = anycrc.Model("CRC64-NVME")
CONTENT = b"a body whose digests are known" * 1000


def encoded(digest: bytes) -> str:
    return b64encode(digest).decode()


KNOWN = {
    "CRC32": encoded(zlib.crc32(CONTENT).to_bytes(4, "big")),
    "CRC32C": encoded(anycrc.Model("CRC32C").calc(CONTENT).to_bytes(4, "big")),
    "CRC64NVME": encoded(CRC64NVME.calc(CONTENT).to_bytes(8, "big")),
    "SHA1": encoded(hashlib.sha1(CONTENT).digest()),
    "SHA256": encoded(hashlib.sha256(CONTENT).digest()),
}
OTHER = {name: encoded(b"\0" * (len(value) * 3 // 4 - value.count("="))) for name, value in KNOWN.items()}


@pytest.mark.parametrize("algorithm", KNOWN)
def test_a_checksum_is_verified_kept_and_returned(s3: Any, bucket: str, algorithm: str) -> None:
    member = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="key", Body=CONTENT, **{member: KNOWN[algorithm]})
    assert put[member] == KNOWN[algorithm]
    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (got[member], got["ChecksumType"]) == (KNOWN[algorithm], "FULL_OBJECT")
    assert got["Body"].read() == CONTENT
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"other", **{member: OTHER[algorithm]})
    with refused("InvalidRequest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"other", **{member: "nonsense"})
    assert body_of(s3, bucket, "key") == CONTENT


@pytest.mark.parametrize("algorithm", ["CRC32", "SHA1", "SHA256"])
def test_the_client_may_name_the_algorithm_only(s3: Any, bucket: str, algorithm: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=CONTENT, ChecksumAlgorithm=algorithm)
    assert put[f"Checksum{algorithm}"] == KNOWN[algorithm]


def test_content_md5(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=CONTENT, ContentMD5=encoded(hashlib.md5(CONTENT).digest()))
    with refused("BadDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"x", ContentMD5=encoded(hashlib.md5(CONTENT).digest()))
    with refused("InvalidDigest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"x", ContentMD5="nonsense")
    assert body_of(s3, bucket, "key") == CONTENT


def test_a_copy_may_have_another_checksum(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=CONTENT, ChecksumAlgorithm="CRC32")
    source = {"Bucket": bucket, "Key": "key"}
    s3.copy_object(Bucket=bucket, Key="same", CopySource=source)
    s3.copy_object(Bucket=bucket, Key="other", CopySource=source, ChecksumAlgorithm="SHA256")
    same = s3.head_object(Bucket=bucket, Key="same", ChecksumMode="ENABLED")
    other = s3.head_object(Bucket=bucket, Key="other", ChecksumMode="ENABLED")
    assert same["ChecksumCRC32"] == KNOWN["CRC32"]
    assert other["ChecksumSHA256"] == KNOWN["SHA256"]
    assert "ChecksumCRC32" not in other


def test_a_whole_objects_crc_is_combined_from_its_parts(s3: Any, bucket: str) -> None:
    body = bytes(5 << 20) + CONTENT
    whole = encoded(CRC64NVME.calc(body).to_bytes(8, "big"))
    named = {"Bucket": bucket, "Key": "key"}
    upload = s3.create_multipart_upload(**named, ChecksumAlgorithm="CRC64NVME")
    assert upload["ChecksumType"] == "FULL_OBJECT"
    named["UploadId"] = upload["UploadId"]
    parts = []
    for number, piece in enumerate((body[: 5 << 20], body[5 << 20 :]), 1):
        checksum = encoded(CRC64NVME.calc(piece).to_bytes(8, "big"))
        sent = s3.upload_part(**named, PartNumber=number, Body=piece, ChecksumCRC64NVME=checksum)
        parts.append({"PartNumber": number, "ETag": sent["ETag"], "ChecksumCRC64NVME": sent["ChecksumCRC64NVME"]})
    with refused("BadDigest", 400):
        s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, ChecksumCRC64NVME=OTHER["CRC64NVME"])
    done = s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts}, ChecksumCRC64NVME=whole)
    assert done["ChecksumCRC64NVME"] == whole


def test_checksum_types_that_do_not_go_together(s3: Any, bucket: str) -> None:
    with refused("InvalidRequest", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", ChecksumAlgorithm="SHA256", ChecksumType="FULL_OBJECT")
