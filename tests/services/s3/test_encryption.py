"""The encryption that an object is said to have, from its request or from its bucket."""

import itertools
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"encryption-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def said(answer: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(answer.get(member) for member in ("ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled"))


def every_write(s3: Any, bucket: str, **asked: Any) -> list[tuple[Any, ...]]:
    """What each way to write an object, and to read it, says of its encryption."""
    answers = [s3.put_object(Bucket=bucket, Key="put", Body=b"x", **asked)]
    answers.append(s3.copy_object(Bucket=bucket, Key="copied", CopySource=f"{bucket}/put", **asked))
    answers.append(s3.create_multipart_upload(Bucket=bucket, Key="joined", **asked))
    named = {"Bucket": bucket, "Key": "joined", "UploadId": answers[-1]["UploadId"]}
    answers.append(s3.upload_part(**named, PartNumber=1, Body=b"x"))
    parts = {"Parts": [{"PartNumber": 1, "ETag": answers[-1]["ETag"]}]}
    answers.append(s3.upload_part_copy(**named, PartNumber=2, CopySource=f"{bucket}/put"))
    answers.append(s3.complete_multipart_upload(**named, MultipartUpload=parts))
    for key in ("put", "copied", "joined"):
        answers += [s3.head_object(Bucket=bucket, Key=key), s3.get_object(Bucket=bucket, Key=key)]
    return [said(answer) for answer in answers]


def test_every_object_is_encrypted_by_default(s3: Any, bucket: str) -> None:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules == [
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False},
    ]
    assert set(every_write(s3, bucket)) == {("AES256", None, None)}


def test_the_default_of_a_bucket_holds_for_later_objects(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="earlier", Body=b"x")
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    kept = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert kept == rules
    assert set(every_write(s3, bucket)) == {("aws:kms", KEY, True)}
    assert set(every_write(s3, bucket, ServerSideEncryption="AES256")) == {("AES256", None, None)}
    assert said(s3.head_object(Bucket=bucket, Key="earlier")) == ("AES256", None, None)
    s3.delete_bucket_encryption(Bucket=bucket)
    assert set(every_write(s3, bucket)) == {("AES256", None, None)}


def test_a_request_names_its_key(s3: Any, bucket: str) -> None:
    asked = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": KEY.partition("/")[2], "BucketKeyEnabled": True}
    account = s3.put_object(Bucket=bucket, Key="key", Body=b"", **asked)["SSEKMSKeyId"].split(":")[4]
    arn = KEY.replace("123456789012", account)
    assert set(every_write(s3, bucket, **asked)) == {("aws:kms", arn, True)}
    [(_, managed, _)] = set(every_write(s3, bucket, ServerSideEncryption="aws:kms"))
    assert managed.startswith(f"arn:aws:kms:us-east-1:{account}:key/")


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [{"BucketKeyEnabled": True}],
        [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "ROT13"}}],
        [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}] * 2,
    ],
)
def test_what_is_no_default(s3: Any, bucket: str, rules: Any) -> None:
    with refused("MalformedXML", 400):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


def test_a_key_needs_kms(s3: Any, bucket: str) -> None:
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": KEY}}]
    with refused("InvalidArgument", 400):
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})
    for asked in (
        {"ServerSideEncryption": "ROT13"},
        {"SSEKMSKeyId": KEY},
        {"SSEKMSKeyId": KEY, "ServerSideEncryption": "AES256"},
    ):
        with refused("InvalidArgument", 400):
            s3.put_object(Bucket=bucket, Key="key", Body=b"", **asked)


def test_keys_of_customers_are_refused_by_name(s3: Any, bucket: str) -> None:
    with refused("NotImplemented", 501) as error:
        s3.put_object(Bucket=bucket, Key="key", Body=b"", SSECustomerAlgorithm="AES256", SSECustomerKey="k" * 32)
    assert "customer keys" in error["Message"]
