"""The verifier against botocore's own signers, and everything that must not pass it."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clary.wire.credentials import Identity, KeyRing
from clary.wire.errors import ServiceError
from clary.wire.http import Headers, Request
from clary.wire.payload import guarded
from clary.wire.sigv4 import read_scope, verify
from tests.wire.signed import WholeBody, sign

keys = KeyRing("AKIAEXAMPLEEXAMPLEKE", "s" * 40, b"k" * 32)

TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
SEGMENT = st.one_of(TEXT, st.sampled_from(["..", ".", "", "a b", "a+b", "a%2Fb", "ü", "~(1)!*'", "=&?#"]))
S3_PATH = st.lists(SEGMENT, max_size=5).map(lambda parts: "/bucket/" + quote("/".join(parts), safe="/~"))
# The general signers take a path as its URL has it, so `//` and `..` reach the wire like that.
PATH = st.lists(SEGMENT, max_size=5).map(lambda parts: "/" + "/".join(quote(p, safe="~") for p in parts))
QUERY = st.lists(st.tuples(TEXT, TEXT), max_size=4).map(
    lambda pairs: "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in pairs)
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
HEADERS = st.dictionaries(
    st.sampled_from(["x-amz-meta-a", "x-amz-meta-b", "content-type", "x-other", "x-amzn-custom"]), PRINTABLE
)
LIFETIMES = st.integers(300, 604800)
"""Seconds; long enough for a machine that is busy."""
METHOD = st.sampled_from(["GET", "PUT", "POST", "DELETE", "HEAD"])


def check(request: Request, body: bytes | None = None, now: float | None = None) -> Identity:
    presented = read_scope(request)
    assert presented is not None
    return verify(request, presented, keys, time.time() if now is None else now, body)


def refusal(request: Request, body: bytes | None = None, now: float | None = None) -> ServiceError:
    with pytest.raises(ServiceError) as caught:
        check(request, body, now)
    return caught.value


def changed(request: Request, **headers: str) -> Request:
    """With headers set (`x_amz_date="…"`), or removed by an empty value."""
    values = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in request.headers if name not in values]
    return replace(request, headers=Headers([*kept, *((n, v) for n, v in values.items() if v)]))


def unquoted(path: str, query: str) -> str:
    return f"{path}?{query}" if query else path


@given(METHOD, PATH, QUERY, HEADERS, st.binary(max_size=50))
def test_general_signer(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    request = sign(keys.root, method, unquoted(path, query), headers, body)
    assert check(request, body) == keys.root


@given(METHOD, S3_PATH, QUERY, HEADERS, st.binary(max_size=50))
def test_s3_signer(method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> None:
    check(sign(keys.root, method, unquoted(path, query), headers, body, "s3", "eu-west-3"))


@given(METHOD, S3_PATH, QUERY, HEADERS, LIFETIMES)
def test_s3_presigner(method: str, path: str, query: str, headers: dict[str, str], expires: int) -> None:
    check(sign(keys.root, method, unquoted(path, query), headers, b"", "s3", expires=expires))


@given(QUERY, LIFETIMES)
def test_general_presigner(query: str, expires: int) -> None:
    check(sign(keys.root, "GET", unquoted("/", query), service="sts", expires=expires), b"")


@given(st.sampled_from(["sagemaker", "s3"]), st.booleans(), LIFETIMES)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_temporary_credentials(service: str, presigned: bool, seconds: int) -> None:
    role = "arn:aws:sts::123456789012:assumed-role/Role/session"
    temporary = keys.issue(role, seconds)
    request = sign(temporary, "GET", "/a", service=service, expires=900 if presigned else None)
    assert check(request, None if service == "s3" else b"").arn == role


TAMPERINGS: list[tuple[str, Any]] = [
    ("method", lambda r: replace(r, method="PUT")),
    ("path", lambda r: replace(r, target="/bucket/kez?a=1&b=")),
    ("case of a path", lambda r: replace(r, target="/bucket/Key?a=1&b=")),
    ("query value", lambda r: replace(r, target="/bucket/key?a=2&b=")),
    ("query added", lambda r: replace(r, target=r.target + "&c=1")),
    ("query removed", lambda r: replace(r, target="/bucket/key?a=1")),
    ("header", lambda r: changed(r, x_amz_meta_a="other")),
    ("header removed", lambda r: changed(r, x_amz_meta_a="")),
    ("header doubled", lambda r: replace(r, headers=Headers([*r.headers, ("x-amz-meta-a", "v")]))),
    ("host", lambda r: changed(r, host="127.0.0.1:7374")),
    ("token", lambda r: changed(r, x_amz_security_token="x")),
]


@pytest.mark.parametrize("service", ["sagemaker", "s3"])
@pytest.mark.parametrize("tamper", [tamper for _, tamper in TAMPERINGS], ids=[name for name, _ in TAMPERINGS])
def test_tampering_is_seen(tamper: Any, service: str) -> None:
    request = sign(keys.root, "POST", "/bucket/key?a=1&b=", {"x-amz-meta-a": "v"}, b"body", service)
    refused = refusal(tamper(request), None if service == "s3" else b"body")
    assert refused.status in (400, 403)
    assert refused.code in {
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "AccessDenied",
        "InvalidToken",
        "UnrecognizedClientException",
    }


@given(st.integers(0, 63), st.sampled_from("0123456789abcdef"))
def test_every_digit_of_the_signature_counts(position: int, digit: str) -> None:
    request = sign(keys.root)
    start, _, signature = request.headers.get("authorization").rpartition("=")
    forged = signature[:position] + digit + signature[position + 1 :]
    forgery = changed(request, authorization=f"{start}={forged}")
    if forged == signature:
        check(forgery, b"")
    else:
        assert refusal(forgery, b"").code == "InvalidSignatureException"


@pytest.mark.parametrize("service", ["sagemaker", "sts"])
def test_body_is_part_of_what_is_signed(service: str) -> None:
    assert "signature" in refusal(sign(keys.root, body=b"body", service=service), b"other").message


@pytest.mark.parametrize(
    ("service", "code"),
    [
        ("sagemaker", "UnrecognizedClientException"),
        ("sts", "InvalidClientTokenId"),
        ("s3", "InvalidAccessKeyId"),
    ],
)
def test_unknown_key(service: str, code: str) -> None:
    stranger = Identity("AKIASTRANGER00000000", "x" * 40, "")
    assert refusal(sign(stranger, service=service), b"").code == code


@pytest.mark.parametrize(
    ("service", "code"),
    [("sagemaker", "InvalidSignatureException"), ("sts", "SignatureDoesNotMatch"), ("s3", "SignatureDoesNotMatch")],
)
def test_wrong_secret(service: str, code: str) -> None:
    refused = refusal(sign(replace(keys.root, secret="x" * 40), service=service), b"")
    assert (refused.code, refused.status) == (code, 403)
    assert refused.message.startswith("The request signature we calculated does not match the signature you provided.")


def test_s3_tells_what_it_expected() -> None:
    request = sign(replace(keys.root, secret="x" * 40), "GET", "/bucket/a%20b", service="s3")
    fields = refusal(request).fields
    assert fields["CanonicalRequest"].startswith("GET\n/bucket/a%20b\n\nhost:127.0.0.1:7373\n")
    assert fields["StringToSign"].startswith("AWS4-HMAC-SHA256\n")
    assert bytes.fromhex(fields["StringToSignBytes"]).decode() == fields["StringToSign"]


@pytest.mark.parametrize("skew", [-16 * 60, 16 * 60])
def test_clock_skew(skew: int) -> None:
    now = time.time()
    assert refusal(sign(keys.root, service="s3"), now=now + skew).code == "RequestTimeTooSkewed"
    refused = refusal(sign(keys.root), b"", now + skew)
    assert refused.code == "InvalidSignatureException"
    expected = "Signature expired: " if skew > 0 else "Signature not yet current: "
    assert refused.message.startswith(expected)
    check(sign(keys.root), b"", now + skew * 14 / 16)


def test_presigned_until_its_expiry() -> None:
    request, now = sign(keys.root, "GET", "/b/k", service="s3", expires=3600), time.time()
    check(request, now=now + 3590)
    refused = refusal(request, now=now + 3610)
    assert (refused.code, refused.message, refused.status) == ("AccessDenied", "Request has expired", 403)
    assert refused.fields["X-Amz-Expires"] == "3600"
    assert refusal(request, now=now - 3600).message == "Request is not yet valid"


@pytest.mark.parametrize(
    ("expires", "message"),
    [("604801", "less than a week"), ("-1", "non-negative"), ("soon", "should be a number"), ("", "X-Amz-Expires")],
)
def test_presigned_expiry_is_checked(expires: str, message: str) -> None:
    request = sign(keys.root, "GET", "/b/k", service="s3", expires=60)
    target = request.target.replace("X-Amz-Expires=60", f"X-Amz-Expires={expires}")
    refused = refusal(replace(request, target=target))
    assert refused.code == "AuthorizationQueryParametersError"
    assert message in refused.message


@pytest.mark.parametrize("part", ["X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Credential", "X-Amz-Security-Token"])
@pytest.mark.parametrize("service", ["s3", "sts"])
def test_presigned_parts_beyond_latin_1(part: str, service: str) -> None:
    request = sign(keys.root, "GET", "/", service=service, expires=60)
    target = f"{request.target}&X-Amz-Security-Token=".replace(f"{part}=", f"{part}=%C4%80")
    refusal(replace(request, target=target), None if service == "s3" else b"")


def test_query_that_only_mentions_the_algorithm() -> None:
    request = Request("GET", "/b?prefix=X-Amz-Algorithm=", Headers([("host", "x")]), WholeBody())
    assert refusal(request).code == "AuthorizationQueryParametersError"


def test_unsigned_calls_present_nothing() -> None:
    assert read_scope(Request("GET", "/", Headers([("host", "x")]), WholeBody())) is None


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("AWS4-HMAC-SHA256", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=a/20260101/r/s3/aws4_request", "AuthorizationHeaderMalformed"),
        ("AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=a/20260101/r/sts/aws4, SignedHeaders=host, Signature=00",
            "SignatureDoesNotMatch",
        ),
        ("AWS4-HMAC-SHA256 Credential=////, SignedHeaders=host, Signature=00", "InvalidSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=é/20260101/r/s/aws4_request, SignedHeaders=;, Signature=é", None),
        ("AWS4-HMAC-SHA256 =,=,=", "IncompleteSignatureException"),
    ],
)
def test_malformed_authorization(authorization: str, code: str | None) -> None:
    headers = Headers([("host", "x"), ("x-amz-date", "20260101T000000Z"), ("authorization", authorization)])
    refused = refusal(Request("GET", "/", headers, WholeBody()), b"")
    assert code is None or refused.code == code


def test_http_date_in_place_of_the_amz_date() -> None:
    request = sign(keys.root, headers={"Date": "Thu, 01 Jan 1970 00:00:00 GMT"})
    assert "x-amz-date" not in request.headers
    check(request, b"")


@pytest.mark.parametrize("date", ["20269901T000000Z", "yesterday", "2026-01-01T00:00:00Z", "²0260101T000000Z"])
def test_bad_dates(date: str) -> None:
    assert refusal(changed(sign(keys.root), x_amz_date=date), b"").code == "IncompleteSignatureException"
    assert refusal(changed(sign(keys.root, service="s3"), x_amz_date=date)).code == "AccessDenied"


def test_scope_of_another_day() -> None:
    refused = refusal(changed(sign(keys.root), x_amz_date="20200101T000000Z"), b"")
    assert refused.message.startswith("Date in Credential scope does not match")


def test_host_must_be_signed() -> None:
    request = sign(keys.root)
    authorization = request.headers.get("authorization").replace("host;", "")
    refused = refusal(changed(request, authorization=authorization), b"")
    assert "must be a 'SignedHeader'" in refused.message


def test_s3_wants_its_own_headers_signed() -> None:
    request = changed(sign(keys.root, "PUT", "/b/k", service="s3"), x_amz_acl="public-read")
    refused = refusal(request)
    assert (refused.code, refused.fields["HeadersNotSigned"]) == ("AccessDenied", "x-amz-acl")


@pytest.mark.parametrize("value", ["", "nonsense", "A" * 64])
def test_s3_payload_header(value: str) -> None:
    request = sign(keys.root, "PUT", "/b/k", service="s3")
    if not value:
        authorization = request.headers.get("authorization").replace("x-amz-content-sha256;", "")
        assert refusal(changed(request, x_amz_content_sha256="", authorization=authorization)).code == "InvalidRequest"
    else:
        assert refusal(changed(request, x_amz_content_sha256=value)).code == "InvalidArgument"


async def test_streamed_body_is_compared_at_its_end() -> None:
    request = sign(keys.root, "PUT", "/b/k", body=b"hello", service="s3")
    presented = read_scope(request)
    assert presented is not None
    identity = check(request)
    assert await guarded(request, presented, identity).read(10) == b"hello"
    swapped = replace(request, body=WholeBody(b"hel", b"l0"))
    chunks = aiter(guarded(swapped, presented, identity))
    assert [await anext(chunks), await anext(chunks)] == [b"hel", b"l0"]
    with pytest.raises(ServiceError, match="does not match what was computed") as caught:
        await anext(chunks)
    assert caught.value.code == "XAmzContentSHA256Mismatch"


def test_keys_are_read_back(tmp_path: Path) -> None:
    first = KeyRing.open(tmp_path)
    second = KeyRing.open(tmp_path)
    request = sign(first.root)
    presented = read_scope(request)
    assert presented is not None
    assert verify(request, presented, second, time.time(), b"") == first.root
