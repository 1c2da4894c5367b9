"""What the S3 tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError


@contextmanager
def refused(code: str, status: int) -> Iterator[dict[str, Any]]:
    """The call inside must fail with that error code and HTTP status; gives the error as boto3 read it, and
    the answer's headers as `Headers`."""
    error: dict[str, Any] = {}
    with pytest.raises(ClientError) as caught:
        yield error
    response: Any = caught.value.response
    error.update(response["Error"], Headers=response["ResponseMetadata"]["HTTPHeaders"])
    assert (error["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def put_all(s3: Any, bucket: str, *keys: str) -> None:
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())


def body_of(s3: Any, bucket: str, key: str, **options: Any) -> bytes:
    content: bytes = s3.get_object(Bucket=bucket, Key=key, **options)["Body"].read()
    return content
