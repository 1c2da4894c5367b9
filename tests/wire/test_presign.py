"""URLs that the platform signs for its instances."""

import socket
import time
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from clary.wire.credentials import KeyRing
from clary.wire.presign import presigned, signed_form
from tests.platform import Platform
from tests.programs import post, unique

WEEK = 7 * 24 * 3600
KEYS = ["plain.csv", "a b+c&d=e", "é/ü.txt", "%41", "a//b", "dot/./x", "q?x#y", "~(')*!", "🎈", "trailing/", "\n"]
DENIES_ALL = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:*Object", '
    '"Resource": "arn:aws:s3:::%s/*"}]}'
)


def sign(platform: Platform, method: str, bucket: str, key: str, seconds: int = 60, ago: float = 0.0) -> str:
    keys = KeyRing.open(platform.state)
    return presigned(
        method, platform.url, bucket, key, keys.platform, region="us-east-1", seconds=seconds, now=time.time() - ago
    )


def call(method: str, url: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method)) as answer:
        content: bytes = answer.read()
    return content


@pytest.fixture
def bucket(platform: Platform) -> str:
    name = unique("presigned")
    platform.client("s3").create_bucket(Bucket=name)
    return name


@pytest.mark.parametrize("key", KEYS)
def test_an_object_of_any_name_goes_both_ways(platform: Platform, bucket: str, key: str) -> None:
    call("PUT", sign(platform, "PUT", bucket, key), key.encode())
    assert platform.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    assert call("GET", sign(platform, "GET", bucket, key)) == key.encode()


def test_it_is_good_for_one_call_alone(platform: Platform, bucket: str) -> None:
    platform.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    url = sign(platform, "GET", bucket, "a")
    for method, other in (("PUT", url), ("DELETE", url), ("GET", url.replace("/a?", "/b?"))):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            call(method, other, b"y" if method == "PUT" else None)


def test_it_holds_for_as_long_as_a_job_may_run_and_no_longer(platform: Platform, bucket: str) -> None:
    platform.client("s3").put_object(Bucket=bucket, Key="a", Body=b"x")
    assert call("GET", sign(platform, "GET", bucket, "a", seconds=5 * WEEK, ago=4 * WEEK)) == b"x"
    with pytest.raises(urllib.error.HTTPError, match="403"):
        call("GET", sign(platform, "GET", bucket, "a", seconds=WEEK, ago=WEEK + 60))


def test_no_policy_is_asked(platform: Platform, bucket: str) -> None:
    """As none is where a job's files are linked."""
    s3 = platform.client("s3")
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    s3.put_bucket_policy(Bucket=bucket, Policy=DENIES_ALL % bucket)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.get_object(Bucket=bucket, Key="a")
    assert call("GET", sign(platform, "GET", bucket, "a")) == b"x"


def test_one_file_may_be_larger_than_a_users(platform: Platform, bucket: str) -> None:
    """Asked by its announcement alone: the answer to more than 5 GiB comes before the body."""
    host, _, port = platform.url.removeprefix("http://").partition(":")
    url = sign(platform, "PUT", bucket, "large")
    user = platform.client("s3").generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "large"})
    answers = {}
    for name, target in (("platform", url), ("user", user)):
        with socket.create_connection((host, int(port)), 10) as client:
            head = f"PUT {target.removeprefix(platform.url)} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            client.sendall(f"{head}Expect: 100-continue\r\nContent-Length: {6 << 30}\r\n\r\n".encode())
            answers[name] = client.recv(4096).split(b"\r\n")[0]
    assert answers["platform"] == b"HTTP/1.1 100 Continue"
    assert b"400" in answers["user"]


def test_a_form_takes_files_below_its_prefix_until_it_expires(platform: Platform, bucket: str) -> None:
    platform.client("s3").put_bucket_policy(Bucket=bucket, Policy=DENIES_ALL % bucket)
    ring, now = KeyRing.open(platform.state).platform, time.time()

    def form(ago: float = 0.0) -> tuple[str, dict[str, str]]:
        return signed_form(platform.url, bucket, "ck/", ring, region="us-east-1", seconds=5 * WEEK, now=now - ago)

    answers = {"ck/é/1": 204, "ck": 403, "other": 403}
    url, fields = form()
    assert {key: post(url, {**fields, "key": key}, b"x") for key in answers} == answers
    for weeks, status in ((4, 204), (6, 403)):
        url, fields = form(weeks * WEEK)
        assert post(url, {**fields, "key": "ck/2"}, b"x") == status
    url, fields = form()
    assert post(url, {**fields, "key": "ck/4", "x-amz-meta-a": "b"}, b"x") == 403
    platform.client("s3").delete_bucket_policy(Bucket=bucket)
    found = platform.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert [item["Key"] for item in found] == ["ck/2", "ck/é/1"]
