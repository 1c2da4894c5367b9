"""Scripts of other sites, as browsers ask for them."""

import itertools
import urllib.error
import urllib.request
from email.message import Message
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused

SITE = "https://app.example.com"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3", signature_version="s3v4")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"cors-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def put_rules(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def ask(url: str, method: str, body: bytes | None = None, **headers: str) -> tuple[int, Message, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, data=body, headers=named)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def preflight(platform: Platform, bucket: str, method: str, origin: str = SITE, wanted: str = "") -> Any:
    headers = {"Origin": origin, "Access_Control_Request_Method": method}
    headers |= {"Access_Control_Request_Headers": wanted} if wanted else {}
    return ask(f"{platform.url}/{bucket}/key", "OPTIONS", **headers)


def test_a_preflight_is_answered_by_the_rules(platform: Platform, s3: Any, bucket: str) -> None:
    put_rules(
        s3,
        bucket,
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]},
        {
            "AllowedMethods": ["PUT", "POST"],
            "AllowedOrigins": ["https://*.example.com"],
            "AllowedHeaders": ["Content-*", "x-amz-meta-a"],
            "ExposeHeaders": ["ETag"],
            "MaxAgeSeconds": 300,
        },
    )
    status, headers, _ = preflight(platform, bucket, "PUT", wanted="content-type, X-Amz-Meta-A")
    assert status == 200
    assert headers["Access-Control-Allow-Origin"] == SITE
    assert headers["Access-Control-Allow-Methods"] == "PUT, POST"
    assert headers["Access-Control-Allow-Headers"] == "content-type, x-amz-meta-a"
    assert headers["Access-Control-Expose-Headers"] == "ETag"
    assert headers["Access-Control-Max-Age"] == "300"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in headers["Vary"]
    _, headers, _ = preflight(platform, bucket, "GET", origin="http://elsewhere.org")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Credentials"] is None


@pytest.mark.parametrize(
    ("method", "origin", "wanted"),
    [
        ("DELETE", SITE, ""),
        ("PUT", "https://example.com", ""),
        ("PUT", SITE, "authorization"),
    ],
)
def test_a_preflight_that_no_rule_fits(
    platform: Platform, s3: Any, bucket: str, method: str, origin: str, wanted: str
) -> None:
    put_rules(s3, bucket, {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://*.example.com"]})
    status, headers, body = preflight(platform, bucket, method, origin, wanted)
    assert status == 403
    assert b"<Code>AccessForbidden</Code><Message>CORSResponse: This CORS request is not allowed." in body
    assert headers["Access-Control-Allow-Origin"] is None


def test_a_preflight_without_rules_or_without_an_origin(platform: Platform, bucket: str) -> None:
    status, _, body = preflight(platform, bucket, "PUT")
    assert (status, b"CORS is not enabled for this bucket" in body) == (403, True)
    status, _, body = ask(f"{platform.url}/{bucket}/key", "OPTIONS", Access_Control_Request_Method="PUT")
    assert (status, b"Origin request header needed" in body) == (400, True)
    status, _, body = ask(f"{platform.url}/{bucket}/key", "OPTIONS", Origin=SITE)
    assert (status, b"Invalid Access-Control-Request-Method" in body) == (400, True)


def test_answers_let_the_script_that_asked_see_them(s3: Any, bucket: str) -> None:
    put_rules(
        s3, bucket, {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [SITE], "ExposeHeaders": ["ETag", "x-amz-id"]}
    )
    put = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "key"})
    status, headers, _ = ask(put, "PUT", b"hello", Origin=SITE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (200, SITE)
    get = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "key"})
    status, headers, body = ask(get, "GET", Origin=SITE)
    assert (status, body, headers["Access-Control-Expose-Headers"]) == (200, b"hello", "ETag, x-amz-id")
    assert ask(get, "GET", Origin="https://elsewhere.org")[1]["Access-Control-Allow-Origin"] is None
    assert ask(get, "GET")[1]["Access-Control-Allow-Origin"] is None
    missing = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "missing"})
    status, headers, _ = ask(missing, "GET", Origin=SITE)
    assert (status, headers["Access-Control-Allow-Origin"]) == (404, SITE)


@pytest.mark.parametrize(
    ("rule", "code", "message"),
    [
        ({"AllowedMethods": ["PATCH"]}, "InvalidRequest", "Unsupported method is PATCH"),
        ({"AllowedOrigins": ["http://*.*"]}, "InvalidRequest", "can not have more than one wildcard"),
        ({"AllowedHeaders": ["*a*"]}, "InvalidRequest", "can not have more than one wildcard"),
        ({"ExposeHeaders": ["x-*"]}, "InvalidRequest", "do not support wildcard for ExposeHeader"),
        ({"ExposeHeaders": ["x\ny"]}, "MalformedXML", "well-formed"),
        ({"AllowedOrigins": []}, "MalformedXML", "well-formed"),
    ],
)
def test_what_is_no_rule(s3: Any, bucket: str, rule: dict[str, Any], code: str, message: str) -> None:
    with refused(code, 400) as error:
        put_rules(s3, bucket, {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]} | rule)
    assert message in error["Message"]


def test_a_hundred_rules_are_the_most(s3: Any, bucket: str) -> None:
    rule = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
    put_rules(s3, bucket, *[rule] * 100)
    for number in (0, 101):
        with refused("MalformedXML", 400):
            put_rules(s3, bucket, *[rule] * number)
