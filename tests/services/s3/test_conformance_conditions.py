"""S3's contract, as boto3 sees it: conditional requests."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.services.s3.helpers import body_of, refused


def test_conditional_reads(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="key")["LastModified"]
    before, after = modified - timedelta(hours=1), modified + timedelta(hours=1)
    for read in (s3.get_object, s3.head_object):
        named = {"Bucket": bucket, "Key": "key"}
        for condition in (
            {"IfMatch": etag},
            {"IfMatch": "*"},
            {"IfNoneMatch": '"other"'},
            {"IfModifiedSince": before},
            {"IfUnmodifiedSince": after},
            {"IfMatch": etag, "IfUnmodifiedSince": before},
            {"IfNoneMatch": '"other"', "IfModifiedSince": modified},
        ):
            assert read(**named, **condition)["ETag"] == etag
        for condition in ({"IfNoneMatch": etag}, {"IfNoneMatch": "*"}, {"IfModifiedSince": modified}):
            with refused("304", 304):
                read(**named, **condition)
    for condition in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": before}):
        with refused("PreconditionFailed", 412):
            s3.get_object(Bucket=bucket, Key="key", **condition)


def test_put_only_where_there_is_nothing(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"first", IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="key", Body=b"second", IfNoneMatch="*")
    assert body_of(s3, bucket, "key") == b"first"


def test_put_only_over_what_is_expected(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"first")["ETag"]
    second = s3.put_object(Bucket=bucket, Key="key", Body=b"second", IfMatch=etag)["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="key", Body=b"third", IfMatch=etag)
    assert s3.head_object(Bucket=bucket, Key="key")["ETag"] == second
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="absent", Body=b"", IfMatch=etag)


def test_of_many_that_race_one_wins(s3: Any, bucket: str) -> None:
    def put(number: int) -> str:
        try:
            s3.put_object(Bucket=bucket, Key="lock", Body=str(number).encode(), IfNoneMatch="*")
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "won"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(put, range(16)))
    assert sorted(outcomes) == ["PreconditionFailed"] * 15 + ["won"]
    assert body_of(s3, bucket, "lock") == str(outcomes.index("won")).encode()


@pytest.mark.parametrize(("condition", "holds"), [("CopySourceIfMatch", True), ("CopySourceIfNoneMatch", False)])
def test_conditional_copies(s3: Any, bucket: str, condition: str, holds: bool) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["ETag"]
    source = {"Bucket": bucket, "Key": "key"}
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **{condition: etag if holds else '"other"'})
    with refused("PreconditionFailed", 412) as error:
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source, **{condition: '"other"' if holds else etag})
    assert error["Condition"] == ("x-amz-copy-source-If-Match" if holds else "x-amz-copy-source-If-None-Match")


def test_conditional_delete(s3: Any, bucket: str) -> None:
    etag = s3.put_object(Bucket=bucket, Key="key", Body=b"x")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=bucket, Key="key", IfMatch='"other"')
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=etag)
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")
