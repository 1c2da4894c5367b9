"""S3's contract, as boto3 sees it: tags of objects and of buckets."""

from typing import Any

import pytest

from tests.services.s3.helpers import refused

TEN = [*({"Key": f"key-{n}", "Value": f"value {n}"} for n in range(8)), {"Key": "aé_.:/=+-@ 1", "Value": ""}]
TEN.append({"Key": "文" * 128, "Value": "\N{MATHEMATICAL SCRIPT CAPITAL A}" * 256})

WRONG = [
    ([{"Key": "same", "Value": "1"}, {"Key": "same", "Value": "2"}], "multiple Tags with the same key", "same"),
    ([{"Key": "AWS:cost", "Value": "1"}], "", "AWS:cost"),
    ([{"Key": "k" * 129, "Value": "1"}], "TagKey", "k" * 129),
    ([{"Key": "a&b", "Value": "1"}], "TagKey", "a&b"),
    ([{"Key": "tab\tkey", "Value": "1"}], "TagKey", "tab\tkey"),
    ([{"Key": "key", "Value": "v" * 257}], "TagValue", "key"),
    ([{"Key": "key", "Value": "😀"}], "TagValue", "key"),
]


@pytest.mark.parametrize(("tags", "message", "key"), WRONG)
def test_tags_that_cannot_be(s3: Any, bucket: str, tags: list[dict[str, str]], message: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    with refused("InvalidTag", 400) as error:
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": tags})
    assert message in error["Message"]
    assert error["TagKey"] == key
    with refused("InvalidTag", 400):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)


def test_tags_of_every_kind(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": TEN})
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == TEN
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": []})
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []
    put = s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TEN})
    assert put["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == TEN


def test_an_object_has_ten_tags_a_bucket_fifty(s3: Any, bucket: str) -> None:
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": many[:50]})
    with refused("BadRequest", 400):
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": many})
    with refused("BadRequest", 400):
        s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": many[:11]})
    with refused("BadRequest", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging="&".join(f"{n}=" for n in range(11)))


def test_no_tags_are_read_as_never_set(s3: Any, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": TEN})
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": []})
    with refused("NoSuchTagSet", 404) as error:
        s3.get_bucket_tagging(Bucket=bucket)
    assert error["BucketName"] == bucket


@pytest.mark.parametrize("header", ["a=1&a=2", "=1", "a=%FF", "a%26b=1", f"a={'v' * 257}"])
def test_a_header_that_holds_no_tags(s3: Any, bucket: str, header: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging=header)
    assert (error["ArgumentName"], error["ArgumentValue"]) == ("x-amz-tagging", header)


def test_a_header_cannot_set_what_aws_keeps_for_itself(s3: Any, bucket: str) -> None:
    with refused("InvalidTag", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", Tagging="aws:cost=1")
    with refused("InvalidTag", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", Tagging="aws:cost=1")


def test_a_bucket_is_not_made_with_tags_that_cannot_be(s3: Any, bucket: str) -> None:
    tags = [{"Key": "aws:cost", "Value": "1"}]
    with refused("InvalidTag", 400):
        s3.create_bucket(Bucket=f"{bucket}-tagged", CreateBucketConfiguration={"Tags": tags})
    with refused("404", 404):
        s3.head_bucket(Bucket=f"{bucket}-tagged")
