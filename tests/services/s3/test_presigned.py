"""Presigned URLs, used by a program that knows only HTTP."""

import urllib.error
import urllib.request
from http.client import HTTPConnection, HTTPResponse
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.platform import Platform


def put(url: str, body: bytes, headers: dict[str, str]) -> HTTPResponse:
    """A PUT with these headers only; urllib would add a content type, which version 2 signs."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc)
    connection.request("PUT", f"{parts.path}?{parts.query}", body, headers)
    return connection.getresponse()


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


@pytest.mark.parametrize("version", [None, "s3v4"])
def test_metadata_that_was_signed_into_the_url_is_kept(platform: Platform, version: str | None) -> None:
    client = platform.client("s3", **({"signature_version": version} if version else {}))
    client.create_bucket(Bucket="presigned")
    named = {"Bucket": "presigned", "Key": "described"}
    url = client.generate_presigned_url("put_object", Params={**named, "Metadata": {"origin": "a b"}})
    # Version 2 writes the header into the URL, version 4 asks its user to send it.
    headers = {} if "x-amz-meta-origin=" in url else {"x-amz-meta-origin": "a b"}
    assert bool(headers) == (version == "s3v4")
    assert put(url, b"x", headers).status == 200
    assert client.head_object(**named)["Metadata"] == {"origin": "a b"}


def test_a_header_in_the_query_counts_for_what_is_asked(platform: Platform) -> None:
    """Signers other than boto3's move headers into version 4's query too; `x-amz-copy-source` names the operation."""
    client = platform.client("s3")
    client.create_bucket(Bucket="presigned")
    client.put_object(Bucket="presigned", Key="source", Body=b"copied")
    query = f"x-amz-copy-source={quote('presigned/source', safe='')}&x-amz-meta-by=url&x-amz-metadata-directive=REPLACE"
    request = AWSRequest("PUT", f"{platform.url}/presigned/copy?{query}")
    S3SigV4QueryAuth(Credentials(*platform.keys()), "s3", "us-east-1").add_auth(request)
    assert put(request.url, b"", {}).status == 200
    copied = client.get_object(Bucket="presigned", Key="copy")
    assert (copied["Body"].read(), copied["Metadata"]) == (b"copied", {"by": "url"})
