"""The body of a verified S3 call, checked against what was signed while it streams.

A body that fails the check raises at its end: whoever stores it must not publish it before the stream has
ended cleanly.
"""

import hmac
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator
from hashlib import md5, sha256

from clary.wire import refusals
from clary.wire.chunked import AwsChunkedBody, ChunkSigner
from clary.wire.credentials import Identity
from clary.wire.http import Body, Headers, Request
from clary.wire.sigv4 import (
    STREAMING_SIGNED,
    STREAMING_SIGNED_TRAILER,
    STREAMING_UNSIGNED_TRAILER,
    UNSIGNED_PAYLOAD,
    Presented,
    payload_hash,
    signing_key,
)

MD5_SIZE = 16


class DigestBody:
    """A body that raises `XAmzContentSHA256Mismatch` at its end unless it has the announced SHA-256."""

    def __init__(self, body: Body, announced: str) -> None:
        self._body = body
        self._announced = announced

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._checked()

    async def read(self, limit: int) -> bytes:
        whole = await self._body.read(limit)
        self._compare(sha256(whole).hexdigest())
        return whole

    async def _checked(self) -> AsyncIterator[bytes]:
        digest = sha256()
        async for chunk in self._body:
            digest.update(chunk)
            yield chunk
        self._compare(digest.hexdigest())

    def _compare(self, computed: str) -> None:
        if not hmac.compare_digest(computed, self._announced):
            raise refusals.payload_mismatch(self._announced, computed)


def check_md5(headers: Headers, body: bytes) -> None:
    """What a client says of a document that it sends, besides its signature."""
    announced = headers.get("content-md5")
    if not announced:
        return
    try:
        digest = b64decode(announced, validate=True)
    except ValueError as error:
        raise refusals.md5_invalid() from error
    if len(digest) != MD5_SIZE:
        raise refusals.md5_invalid()
    computed = md5(body, usedforsecurity=False).digest()
    if digest != computed:
        raise refusals.md5_mismatch(announced, b64encode(computed).decode())


def guarded(request: Request, presented: Presented, identity: Identity) -> Body:
    """The body to read in place of `request.body`; `ServiceError` where the head does not describe it."""
    announced = payload_hash(request, presented, None)
    if announced == UNSIGNED_PAYLOAD:
        return request.body
    if announced not in (STREAMING_SIGNED, STREAMING_SIGNED_TRAILER, STREAMING_UNSIGNED_TRAILER):
        return DigestBody(request.body, announced)
    length = request.headers.get("x-amz-decoded-content-length")
    if not (length.isascii() and length.isdigit()):
        raise refusals.missing_length()
    trailers = request.headers.get("x-amz-trailer") if announced.endswith("TRAILER") else ""
    signer = None
    if announced != STREAMING_UNSIGNED_TRAILER:
        key = signing_key(identity.secret, presented.date, presented.region, presented.service)
        signer = ChunkSigner(key, presented.access_key, presented.timestamp, presented.scope, presented.signature)
    names = frozenset(name.strip() for name in trailers.lower().split(",") if name.strip())
    return AwsChunkedBody(request.body, int(length), names, signer)
