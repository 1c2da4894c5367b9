"""Presigned URLs, used by a program that knows only HTTP."""

import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.platform import Platform


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    client = platform.client("s3", signature_version="s3v4")
    client.create_bucket(Bucket="presigned")
    return client


def test_put_and_get_through_presigned_urls(s3: Any) -> None:
    named = {"Bucket": "presigned", "Key": "dir/a b+c.txt"}
    put = s3.generate_presigned_url("put_object", Params={**named, "ContentType": "text/plain"})
    request = urllib.request.Request(put, data=b"hello", method="PUT", headers={"Content-Type": "text/plain"})
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    get = s3.generate_presigned_url("get_object", Params={**named, "ResponseContentType": "text/csv"})
    with urllib.request.urlopen(get) as answer:
        assert (answer.read(), answer.headers["Content-Type"]) == (b"hello", "text/csv")
    ranged = urllib.request.Request(get, headers={"Range": "bytes=1-3"})
    with urllib.request.urlopen(ranged) as answer:
        assert (answer.status, answer.read()) == (206, b"ell")


def test_a_changed_url_is_refused(s3: Any) -> None:
    s3.put_object(Bucket="presigned", Key="one", Body=b"1")
    s3.put_object(Bucket="presigned", Key="two", Body=b"2")
    url = s3.generate_presigned_url("get_object", Params={"Bucket": "presigned", "Key": "one"})
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url.replace("/one", "/two"))
    assert error.value.code == 403
