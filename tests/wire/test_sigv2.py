"""Presigned URLs of Signature Version 2, as boto3 makes them by default, against boto3 itself."""

import urllib.error
import urllib.request
from contextlib import suppress
from urllib.parse import quote

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.platform import Platform

BUCKET = "presigned-by-version-2"
KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=40)


def fetch(url: str, method: str = "GET", body: bytes | None = None, **headers: str) -> bytes:
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        content: bytes = answer.read()
        return content


@pytest.fixture
def stored(platform: Platform) -> Platform:
    platform.client("s3").create_bucket(Bucket=BUCKET)
    return platform


@given(key=KEYS, content_type=st.sampled_from(["", "text/csv", "a/b; c=d"]))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_key_is_put_and_got(stored: Platform, key: str, content_type: str) -> None:
    s3 = stored.client("s3")
    asked = {"ContentType": content_type} if content_type else {}
    put = s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key, **asked})
    assert "AWSAccessKeyId=" in put
    # urllib names a content type of its own where none is given.
    fetch(put, "PUT", b"body", **({"Content-Type": content_type} if content_type else {"Content-Type": ""}))
    wanted = {"Bucket": BUCKET, "Key": key, "ResponseContentType": "text/plain"}
    assert fetch(s3.generate_presigned_url("get_object", Params=wanted)) == b"body"


def test_the_bucket_may_be_in_the_host(stored: Platform) -> None:
    stored.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"body")
    url = stored.client("s3").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"})
    path, _, query = url.partition("?")
    address = path.removesuffix(f"/{BUCKET}/k")
    assert fetch(f"{address}/k?{query}", Host=f"{BUCKET}.s3.amazonaws.com") == b"body"


def test_temporary_credentials_sign_too(stored: Platform) -> None:
    stored.client("s3").put_object(Bucket=BUCKET, Key="k", Body=b"body")
    role = "arn:aws:iam::123456789012:role/Reader"
    given = stored.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    s3 = boto3.client(
        "s3",
        region_name="us-east-1",
        endpoint_url=stored.url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    assert fetch(s3.generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"})) == b"body"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda url: url.replace("/k?", "/other?"), "SignatureDoesNotMatch"),
        (lambda url: url + "&versionId=1", "SignatureDoesNotMatch"),
        (lambda url: url.replace("Expires=", "Expires=9"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("AWSAccessKeyId=AKIA", "AWSAccessKeyId=AKIB"), "InvalidAccessKeyId"),
        (lambda url: url.replace("Expires=", "Expired="), "AccessDenied"),
        (lambda url: url.replace("Signature=", "Signature=" + quote("é")), "SignatureDoesNotMatch"),
    ],
)
def test_a_url_that_was_changed_is_refused(stored: Platform, change: object, code: str) -> None:
    url = stored.client("s3").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"})
    with pytest.raises(urllib.error.HTTPError) as raised:
        fetch(change(url))  # type: ignore[operator]
    assert f"<Code>{code}</Code>".encode() in raised.value.read()


def test_a_url_expires(stored: Platform) -> None:
    url = stored.client("s3").generate_presigned_url("get_object", Params={"Bucket": BUCKET, "Key": "k"}, ExpiresIn=-1)
    with pytest.raises(urllib.error.HTTPError) as raised:
        fetch(url)
    assert b"Request has expired" in raised.value.read()


@pytest.mark.parametrize(
    "added",
    ["X-Amz-Meta-By=other", "x%2Damz-meta-by=other", "x-amz-meta-by=other", "X-Amz-Tagging=a%3Db", "x-amz-acl=private"],
)
def test_nothing_that_was_not_signed_counts_as_a_header(stored: Platform, added: str) -> None:
    s3 = stored.client("s3")
    named = {"Bucket": BUCKET, "Key": "described"}
    url = s3.generate_presigned_url("put_object", Params={**named, "Metadata": {"by": "owner"}})
    for changed in (f"{url}&{added}", url.replace("?", f"?{added}&")):
        s3.put_object(**named, Body=b"", Metadata={"by": "owner"})
        with suppress(urllib.error.HTTPError):
            fetch(changed, "PUT", b"body", **{"Content-Type": ""})
        assert s3.head_object(**named)["Metadata"] == {"by": "owner"}
        assert s3.get_object_tagging(**named)["TagSet"] == []
