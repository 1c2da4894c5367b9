"""Signature Version 4, verified: who signed this request, and is it what they signed?

    read_scope(request) → Presented, or None if unsigned     nothing is proven yet, but it can be routed
    verify(request, presented, keys, now, body) → Identity   raises the service's own ServiceError
    payload.guarded(request, presented, identity) → Body     for S3: checks the body as it streams

Source: "AWS Signature Version 4 for API requests" in the IAM User Guide and "Authenticating Requests" in the
S3 API Reference.
"""

import hmac
import re
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from clary.wire import refusals
from clary.wire.canonical import canonical_pairs, canonical_path, canonical_request, signed_parameters
from clary.wire.credentials import PLATFORM_PREFIX, Identity, KeyRing
from clary.wire.dates import amz_date_of_http_date, parse_amz_date
from clary.wire.http import Request

ALGORITHM = "AWS4-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
_ANNOUNCED = frozenset({UNSIGNED_PAYLOAD, STREAMING_UNSIGNED_TRAILER, STREAMING_SIGNED, STREAMING_SIGNED_TRAILER})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_QUERY_PARTS = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")


class Presented(NamedTuple):
    """The signature that a request carries, and the scope that it claims."""

    access_key: str
    date: str
    """Of the credential scope: `20260131`."""
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    timestamp: str
    """`20260131T235959Z`."""
    token: str
    expires: int | None
    """Seconds that a presigned URL is good for; None when the signature is in the Authorization header."""
    presigned: bool

    @property
    def scope(self) -> str:
        return f"{self.date}/{self.region}/{self.service}/aws4_request"


def read_scope(request: Request) -> Presented | None:
    """What the request presents; raises `ServiceError` where that is malformed in itself."""
    authorization = request.headers.get("authorization")
    if authorization.startswith(ALGORITHM):
        return _from_header(request, authorization)
    if "X-Amz-Algorithm=" in request.query:
        return _from_query(request)
    return None


def verify(request: Request, presented: Presented, keys: KeyRing, now: float, body: bytes | None) -> Identity:
    """Whose request this is.

    `body` is the whole body where the caller has read it; with None, the payload hash that the request
    announces stands for the body, which then has to be read through `payload.guarded`.
    """
    service = presented.service
    _check_time(presented, now)
    identity = keys.lookup(presented.access_key, presented.token, service, now)
    _check_signed_headers(request, presented)
    pairs = canonical_pairs(request.query)
    if presented.presigned:
        pairs = [pair for pair in pairs if pair[0] != "X-Amz-Signature"]
    canonical = canonical_request(
        request.method,
        canonical_path(request.path, service),
        pairs,
        request.headers,
        presented.signed_headers,
        payload_hash(request, presented, body),
    )
    digest = sha256(canonical.encode("latin-1")).hexdigest()
    string_to_sign = f"{ALGORITHM}\n{presented.timestamp}\n{presented.scope}\n{digest}"
    key = signing_key(identity.secret, presented.date, presented.region, service)
    expected = hmac.digest(key, string_to_sign.encode(), "sha256").hex()
    if not hmac.compare_digest(expected.encode(), presented.signature.encode()):
        raise refusals.mismatch(service, presented.access_key, presented.signature, string_to_sign, canonical)
    return identity


def payload_hash(request: Request, presented: Presented, body: bytes | None) -> str:
    """The canonical request's last line. A body at hand is compared with the hash that is announced."""
    announced = request.headers.get("x-amz-content-sha256")
    if body is not None:
        if announced == UNSIGNED_PAYLOAD:
            return announced
        computed = sha256(body).hexdigest()
        if announced and announced != computed:
            raise refusals.payload_mismatch(announced, computed)
        return computed
    if presented.presigned and "x-amz-content-sha256" not in presented.signed_headers:
        return UNSIGNED_PAYLOAD
    if not announced:
        raise refusals.payload_header_missing()
    if announced not in _ANNOUNCED and not _SHA256.fullmatch(announced):
        raise refusals.payload_header_invalid(announced)
    return announced


@lru_cache(maxsize=1024)
def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    key = f"AWS4{secret}".encode()
    for part in (date, region, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def _from_header(request: Request, authorization: str) -> Presented:
    parts = {}
    for part in authorization[len(ALGORITHM) :].split(","):
        name, _, value = part.partition("=")
        parts[name.strip()] = value.strip()
    credential = parts.get("Credential", "")
    # A service claimed by a header that is otherwise broken is good enough to word the refusal.
    claimed = credential.split("/")[-2] if credential.count("/") >= 4 else ""
    missing = [part for part in ("Credential", "Signature", "SignedHeaders") if not parts.get(part)]
    if missing:
        raise refusals.malformed(claimed, authorization, missing)
    date = request.headers.get("x-amz-date")
    if not date and "date" in request.headers:
        try:
            date = amz_date_of_http_date(request.headers.get("date"))
        except ValueError:
            raise refusals.bad_date(claimed, request.headers.get("date")) from None
    if not date:
        raise refusals.no_date(claimed, authorization)
    token = request.headers.get("x-amz-security-token")
    return _presented(credential, date, parts["SignedHeaders"], parts["Signature"], token, None, presigned=False)


def _from_query(request: Request) -> Presented:
    query = signed_parameters(request.query)
    credential = query.get("X-Amz-Credential", "")
    claimed = credential.split("/")[-2] if credential.count("/") >= 4 else "s3"
    if query.get("X-Amz-Algorithm") != ALGORITHM:
        raise refusals.bad_query(claimed, f'X-Amz-Algorithm only supports "{ALGORITHM}"')
    required = (*_QUERY_PARTS, "X-Amz-Expires") if claimed == "s3" else _QUERY_PARTS
    if not all(query.get(name) for name in required):
        raise refusals.bad_query(
            claimed,
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, "
            "X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        )
    expires = _expires(query["X-Amz-Expires"], claimed, credential) if query.get("X-Amz-Expires") else None
    return _presented(
        credential,
        query["X-Amz-Date"],
        query["X-Amz-SignedHeaders"],
        query["X-Amz-Signature"],
        query.get("X-Amz-Security-Token", ""),
        expires,
        presigned=True,
    )


def _expires(text: str, service: str, credential: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise refusals.bad_query(service, "X-Amz-Expires should be a number")
    seconds = int(text)
    if seconds < 0:
        raise refusals.bad_query(service, "X-Amz-Expires must be non-negative")
    # What the platform signs for a job must hold until its end, which may be weeks away.
    if seconds > refusals.MAX_PRESIGNED and not credential.startswith(PLATFORM_PREFIX):
        raise refusals.bad_query(
            service,
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
            f"less than {refusals.MAX_PRESIGNED} seconds",
        )
    return seconds


def _presented(
    credential: str,
    timestamp: str,
    signed: str,
    signature: str,
    token: str,
    expires: int | None,
    presigned: bool,
) -> Presented:
    scope = credential.split("/")
    if len(scope) != 5 or not f"{credential}{signed}{signature}".isascii():
        raise refusals.bad_credential(scope[-2] if len(scope) > 1 else "", credential)
    access_key, date, region, service, terminator = scope
    if terminator != "aws4_request":
        raise refusals.bad_terminator(service, terminator)
    names = tuple(signed.split(";"))
    return Presented(access_key, date, region, service, names, signature, timestamp, token, expires, presigned)


def _check_time(presented: Presented, now: float) -> None:
    service = presented.service
    try:
        signed_at = parse_amz_date(presented.timestamp)
    except ValueError:
        raise refusals.bad_date(service, presented.timestamp) from None
    if presented.date != presented.timestamp[:8]:
        raise refusals.date_differs(service, presented.date, presented.timestamp)
    if presented.expires is None:
        if abs(now - signed_at) > refusals.MAX_SKEW:
            raise refusals.skewed(service, presented.timestamp, signed_at, now)
        return
    if signed_at > now + refusals.MAX_SKEW:
        raise refusals.presigned_early(service, presented.timestamp, signed_at, now)
    if now > signed_at + presented.expires:
        raise refusals.presigned_expired(service, signed_at + presented.expires, presented.expires, now)


def _check_signed_headers(request: Request, presented: Presented) -> None:
    signed = presented.signed_headers
    if "host" not in signed:
        raise refusals.host_not_signed(presented.service)
    if presented.service == "s3":
        loose = {name for name, _ in request.headers if name.startswith("x-amz-") and name not in signed}
        if loose:
            raise refusals.headers_not_signed(sorted(loose))
