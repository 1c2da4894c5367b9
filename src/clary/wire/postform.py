"""An object that a browser's form sends: `POST /bucket` with `multipart/form-data`, served as the PutObject that it is.

    form ─▶ fields, file (multipart.py) ─▶ signature over the policy ─▶ policy (postpolicy.py) ─▶ PutObject
         ◀─ 204, 200, 201 with a document, or 303 to where the form says ◀──────────────────────────┘

Source: "POST Object" in the S3 API Reference, and its pages on authenticating browser-based uploads by Signature
Version 4 and 2. A form without a policy is a stranger's.
"""

import hmac
import re
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import quote, urlencode, urlsplit
from xml.etree import ElementTree

from clary.wire import refusals
from clary.wire.bodies import join
from clary.wire.credentials import PLATFORM, Identity, KeyRing
from clary.wire.dates import parse_amz_date
from clary.wire.errors import ServiceError
from clary.wire.http import Headers, Request, Response
from clary.wire.identify import Identified, s3_path
from clary.wire.models import service_model
from clary.wire.multipart import Form, boundary_of, malformed, read_form
from clary.wire.postpolicy import LARGEST, check_policy
from clary.wire.routes import decode
from clary.wire.serialize.xml import DECLARATION, escape
from clary.wire.sigv4 import ALGORITHM, signing_key

_BUCKET_PATH = re.compile(r"/[^/]+/?")
_BREAKS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no header can hold."""
_HEADERS = frozenset({"cache-control", "content-disposition", "content-encoding", "content-type", "expires"})
"""Fields that are a header of PutObject by the same name; so are those of `x-amz-`."""
_OF_SIGNATURE = frozenset(
    {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"}
)


class PostedSignature(NamedTuple):
    """The signature that a form carries, and the scope that it claims."""

    access_key: str
    signature: str
    token: str
    date: str = ""
    """Of the scope; empty for version 2, whose signatures have none."""
    region: str = "us-east-1"
    service: str = "s3"


@dataclass(frozen=True, slots=True)
class Posted:
    """A form read up to its file."""

    form: Form
    bucket: str
    key: str
    presented: PostedSignature | None
    body: "BoundedBody"
    found: Identified
    """PutObject, as the fields describe it."""


class BoundedBody:
    """A file whose size must lie in bounds that are known once the form's policy is verified."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        self._chunks = chunks
        self.least, self.most = 0, LARGEST

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._bounded()

    async def read(self, limit: int) -> bytes:
        return await join(self._bounded(), limit)

    async def _bounded(self) -> AsyncIterator[bytes]:
        size = 0
        async for chunk in self._chunks:
            size += len(chunk)
            if size > self.most:
                message = "Your proposed upload exceeds the maximum allowed size"
                raise ServiceError("EntityTooLarge", message, 400, ProposedSize=size, MaxSizeAllowed=self.most)
            yield chunk
        if size < self.least:
            message = "Your proposed upload is smaller than the minimum allowed size"
            raise ServiceError("EntityTooSmall", message, 400, ProposedSize=size, MinSizeAllowed=self.least)


def posts_form(request: Request) -> bool:
    return (
        request.method == "POST"
        and request.headers.get("content-type").lower().startswith("multipart/form-data")
        and _BUCKET_PATH.fullmatch(s3_path(request.headers, request.path)) is not None
    )


async def read_posted(request: Request) -> Posted:
    boundary = boundary_of(request.headers.get("content-type"))
    if boundary is None:
        raise malformed()
    form = await read_form(request.body, boundary)
    bucket = decode(s3_path(request.headers, request.path).strip("/"))
    key = form.fields.get("key", "").replace("${filename}", form.filename)
    if not key:
        message = (
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields."
        )
        raise ServiceError("InvalidArgument", message, 400, ArgumentName="key", ArgumentValue="")
    form.fields["key"] = key
    body = BoundedBody(form.file)
    operation = service_model("s3").operation_model("PutObject")
    labels, headers = {"Bucket": bucket, "Key": key}, Headers(_headers(form.fields))
    found = Identified("s3", operation, "rest-xml", labels, headers=headers)
    return Posted(form, bucket, key, _presented(form.fields), body, found)


def verify_posted(posted: Posted, keys: KeyRing, now: float) -> Identity:
    """Whose form this is; raises S3's `ServiceError` for one that is not authentic or does what its policy forbids."""
    presented, policy = posted.presented, posted.form.fields.get("policy", "")
    assert presented is not None
    if not policy:
        raise ServiceError("AccessDenied", "Bucket POST must contain a field named 'policy'.", 403)
    identity = keys.lookup(presented.access_key, presented.token, "s3", now)
    if presented.date:
        key = signing_key(identity.secret, presented.date, presented.region, "s3")
        expected = hmac.digest(key, policy.encode(), "sha256").hex()
    else:
        expected = b64encode(hmac.digest(identity.secret.encode(), policy.encode(), "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), presented.signature.encode()):
        raise refusals.chunk_mismatch(presented.access_key, presented.signature, policy)
    # What an instance leaves is one file, of whatever size.
    largest = sys.maxsize if identity.arn == PLATFORM else LARGEST
    posted.body.least, posted.body.most = check_policy(policy, posted.form.fields, posted.bucket, now, largest)
    return identity


def answer_posted(posted: Posted, request: Request, put: Response) -> Response:
    """What the form asks to be told, from the answer to PutObject."""
    fields = posted.form.fields
    etag = next(value for name, value in put.headers if name.lower() == "etag")
    location = f"http://{request.headers.get('host')}/{quote(posted.bucket)}/{quote(posted.key)}"
    redirect = fields.get("success_action_redirect") or fields.get("redirect", "")
    if urlsplit(redirect).scheme in ("http", "https"):
        named = urlencode({"bucket": posted.bucket, "key": posted.key, "etag": etag})
        there = f"{redirect}{'&' if urlsplit(redirect).query else '?'}{named}"
        return Response(303, [*put.headers, ("location", quote(there, safe="%/:=&?~#+!$,;'@()*[]"))])
    status = fields.get("success_action_status")
    headers = [*put.headers, ("location", location)]
    if status == "201":
        document = _document({"Location": location, "Bucket": posted.bucket, "Key": posted.key, "ETag": etag})
        return Response(201, [*headers, ("content-type", "application/xml")], document)
    return Response(200 if status == "200" else 204, headers)


def _presented(fields: dict[str, str]) -> PostedSignature | None:
    token = fields.get("x-amz-security-token", "")
    if "x-amz-signature" in fields or "x-amz-credential" in fields:
        scope = fields.get("x-amz-credential", "").split("/")
        signature, date = fields.get("x-amz-signature", ""), fields.get("x-amz-date", "")
        if fields.get("x-amz-algorithm") != ALGORITHM or not signature or not signature.isascii():
            message = f"Bucket POST must contain the fields x-amz-algorithm ({ALGORITHM}) and x-amz-signature."
            raise ServiceError("InvalidArgument", message, 400)
        if len(scope) != 5 or scope[3:] != ["s3", "aws4_request"] or not "".join(scope).isascii():
            raise refusals.bad_credential("s3", fields.get("x-amz-credential", ""))
        try:
            parse_amz_date(date)
        except ValueError:
            raise refusals.bad_date("s3", date) from None
        if date[:8] != scope[1]:
            raise refusals.date_differs("s3", scope[1], date)
        return PostedSignature(scope[0], signature, token, scope[1], scope[2])
    if "awsaccesskeyid" in fields:
        return PostedSignature(fields["awsaccesskeyid"], fields.get("signature", ""), token)
    return None


def _headers(fields: dict[str, str]) -> list[tuple[str, str]]:
    found = []
    for name, value in fields.items():
        if name == "acl":
            found.append(("x-amz-acl", value))
        elif name == "tagging":
            found.append(("x-amz-tagging", _tagging(value)))
        elif name in _HEADERS or (name.startswith("x-amz-") and name not in _OF_SIGNATURE):
            found.append((name, value))
    for name, value in found:
        if _BREAKS.search(value):
            message = f"The field {name} holds a control character."
            raise ServiceError("InvalidArgument", message, 400, ArgumentName=name)
    # As the bytes of a header would have come.
    return [(name, value.encode().decode("latin-1")) for name, value in found]


def _tagging(document: str) -> str:
    """The field is a document where the header is written like a query."""
    if "<!" in document:
        raise ServiceError("MalformedXML", "The XML you provided was not well-formed.", 400)
    try:
        tags = [element for element in ElementTree.fromstring(document).iter() if element.tag.endswith("Tag")]
        pairs = [[child.text or "" for child in tag] for tag in tags]
    except ElementTree.ParseError:
        pairs = [[]]
    if any(len(pair) != 2 for pair in pairs):
        raise ServiceError("MalformedXML", "The XML you provided was not well-formed.", 400)
    return urlencode([(name, value) for name, value in pairs])


def _document(members: dict[str, str]) -> bytes:
    inside = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in members.items())
    return f"{DECLARATION}<PostResponse>{inside}</PostResponse>".encode()
