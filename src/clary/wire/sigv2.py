"""Presigned S3 URLs of Signature Version 2, which boto3's `generate_presigned_url` still makes by default.

    ?AWSAccessKeyId=…&Signature=…&Expires=<epoch seconds>[&x-amz-security-token=…]

Only URLs: calls that carry a header are signed by version 4. Source: "Signing and Authenticating REST Requests" in
the S3 Developer Guide (query string request authentication).
"""

import hmac
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import unquote

from clary.wire import refusals
from clary.wire.canonical import headers_in_query, signed_parameters
from clary.wire.credentials import Identity, KeyRing
from clary.wire.dates import iso_date
from clary.wire.errors import ServiceError
from clary.wire.http import Headers, Request
from clary.wire.identify import s3_path

SUBRESOURCES = frozenset(
    [
        "accelerate",
        "acl",
        "analytics",
        "cors",
        "defaultObjectAcl",
        "delete",
        "inventory",
        "lifecycle",
        "location",
        "logging",
        "metrics",
        "notification",
        "object-lock",
        "partNumber",
        "policy",
        "replication",
        "requestPayment",
        "response-cache-control",
        "response-content-disposition",
        "response-content-encoding",
        "response-content-language",
        "response-content-type",
        "response-expires",
        "restore",
        "select",
        "select-type",
        "storageClass",
        "tagging",
        "torrent",
        "uploadId",
        "uploads",
        "versionId",
        "versioning",
        "versions",
        "website",
    ]
)
"""Parameters that are a part of the signed resource."""


class PresignedUrl(NamedTuple):
    access_key: str
    signature: str
    expires: float
    """Epoch seconds."""
    token: str
    service: str = "s3"
    region: str = "us-east-1"
    """The signature names none; buckets answer in any."""


def read_url(request: Request) -> PresignedUrl | None:
    """What the URL presents, or None where it is not signed by version 2."""
    if "AWSAccessKeyId=" not in request.query:
        return None
    query = signed_parameters(request.query)
    signature, expires = query.get("Signature", ""), query.get("Expires", "")
    if not (signature and expires.isascii() and expires.isdigit()):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise ServiceError("AccessDenied", message, 403)
    token = query.get("x-amz-security-token", "")
    return PresignedUrl(query.get("AWSAccessKeyId", ""), signature, float(expires), token)


def verify_url(request: Request, presented: PresignedUrl, keys: KeyRing, now: float) -> Identity:
    """Whose URL this is; raises S3's `ServiceError` for one that is not authentic or has expired."""
    identity = keys.lookup(presented.access_key, presented.token, "s3", now)
    text = string_to_sign(request)
    expected = b64encode(hmac.digest(identity.secret.encode(), text.encode("latin-1", "replace"), "sha1"))
    if not hmac.compare_digest(expected, presented.signature.encode()):
        raise refusals.mismatch("s3", presented.access_key, presented.signature, text, text)
    if now > presented.expires:
        fields = {"Expires": iso_date(presented.expires), "ServerTime": iso_date(now)}
        raise ServiceError("AccessDenied", "Request has expired", 403, **fields)
    return identity


def string_to_sign(request: Request) -> str:
    query, headers = signed_parameters(request.query), request.headers
    lines = [request.method, headers.get("content-md5"), headers.get("content-type"), query["Expires"]]
    return "\n".join([*lines, *_amz_headers(headers, query), _resource(request)])


def _amz_headers(headers: Headers, query: dict[str, str]) -> list[str]:
    """`x-amz-*` in order; those of the query count where the request has no such header."""
    found = headers_in_query(query)
    for name, _ in headers:
        if name.startswith("x-amz-"):
            found[name] = ",".join(value.strip() for value in headers.all(name))
    return [f"{name}:{found[name]}" for name in sorted(found)]


def _resource(request: Request) -> str:
    """The path with the bucket in it, still encoded, and those parameters that name a part of it."""
    pairs = [pair.split("=", 1) for pair in request.query.split("&")]
    named = sorted([name, *map(unquote, value)] for name, *value in pairs if name in SUBRESOURCES)
    path = s3_path(request.headers, request.path)
    return path + ("?" + "&".join("=".join(pair) for pair in named) if named else "")
