"""The `aws-chunked` content encoding: a body in chunks that carry signatures, and trailers with its checksum.

    5;chunk-signature=…\\r\\n hello \\r\\n … 0;chunk-signature=…\\r\\n
    x-amz-checksum-crc32:…\\r\\n x-amz-trailer-signature:…\\r\\n \\r\\n

Source: "Signature calculations for the authorization header: transferring payload in multiple chunks" and its
page on trailing headers in the S3 API Reference. Unsigned streams leave the signatures out.
"""

import hmac
import re
from collections.abc import AsyncIterator
from hashlib import sha256

from clary.wire import refusals
from clary.wire.bodies import join
from clary.wire.http import Body, BodyTooLarge

_MAX_LINE = 16 * 1024
_MAX_TRAILERS = 16
_HEADER = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?[ \t]*")
_TRAILER_SIGNATURE = "x-amz-trailer-signature"
_EMPTY = sha256(b"").hexdigest()


class ChunkSigner:
    """The chain of signatures of one stream, each over the one before it."""

    def __init__(self, key: bytes, access_key: str, timestamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._access_key = access_key
        self._where = f"{timestamp}\n{scope}"
        self._previous = seed

    def check_chunk(self, digest: str, signature: str) -> None:
        """Raises `SignatureDoesNotMatch`, as the next does."""
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{_EMPTY}\n{digest}", signature)

    def check_trailer(self, trailer: bytes, signature: str) -> None:
        self._check("AWS4-HMAC-SHA256-TRAILER", sha256(trailer).hexdigest(), signature)

    def _check(self, algorithm: str, content: str, signature: str) -> None:
        string_to_sign = f"{algorithm}\n{self._where}\n{self._previous}\n{content}"
        expected = hmac.digest(self._key, string_to_sign.encode(), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode()):
            raise refusals.chunk_mismatch(self._access_key, signature, string_to_sign)
        self._previous = expected


class AwsChunkedBody:
    """The decoded body, with its trailers by the time it has ended.

    Bytes are passed on before the signature of their chunk is known: who stores them waits for a clean end.
    """

    def __init__(self, encoded: Body, length: int, announced: frozenset[str], signer: ChunkSigner | None) -> None:
        """`length` is the decoded one; `announced` names the trailers that must come."""
        self._source = _Source(encoded)
        self._length = length
        self._announced = announced
        self._signer = signer
        self.trailers: dict[str, str] = {}

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._decode()

    async def read(self, limit: int) -> bytes:
        if self._length > limit:
            raise BodyTooLarge(limit)
        return await join(self._decode(), limit)

    async def _decode(self) -> AsyncIterator[bytes]:
        total = 0
        while True:
            size, signature = self._header(await self._source.line())
            digest, left = sha256(), size
            total += size
            if total > self._length:
                raise refusals.incomplete_body()
            while left:
                piece = await self._source.some(left)
                left -= len(piece)
                if self._signer is not None:
                    digest.update(piece)
                yield piece
            if size and await self._source.line():
                raise refusals.incomplete_body()
            if self._signer is not None:
                self._signer.check_chunk(digest.hexdigest(), signature)
            if not size:
                break
        if total != self._length:
            raise refusals.incomplete_body()
        await self._read_trailers()

    def _header(self, line: bytes) -> tuple[int, str]:
        match = _HEADER.fullmatch(line)
        if match is None:
            raise refusals.incomplete_body()
        return int(match[1], 16), (match[2] or b"").decode()

    async def _read_trailers(self) -> None:
        signed = b""
        while line := await self._source.line():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or len(self.trailers) == _MAX_TRAILERS:
                raise refusals.malformed_trailer()
            name, value = name.strip().lower(), value.strip()
            self.trailers[name] = value
            if name != _TRAILER_SIGNATURE:
                signed += f"{name}:{value}\n".encode("latin-1")
        signature = self.trailers.pop(_TRAILER_SIGNATURE, "")
        if self.trailers.keys() != self._announced or await self._source.more():
            raise refusals.malformed_trailer()
        if self._signer is not None and self._announced:
            self._signer.check_trailer(signed, signature)


class _Source:
    """Lines and runs of bytes of a body, from a buffer of one of its chunks."""

    def __init__(self, body: Body) -> None:
        self._chunks = aiter(body)
        self._buffer = b""
        self._at = 0

    async def more(self) -> bool:
        """Whether a byte is left; waits for it."""
        while self._at == len(self._buffer):
            try:
                self._buffer, self._at = await anext(self._chunks), 0
            except StopAsyncIteration:
                return False
        return True

    async def some(self, most: int) -> bytes:
        """Between one and `most` bytes."""
        if not await self.more():
            raise refusals.incomplete_body()
        piece = self._buffer[self._at : self._at + most]
        self._at += len(piece)
        return piece

    async def line(self) -> bytes:
        """Up to the next line break, which is taken and left out. The end of the body ends a line too."""
        line = b""
        while await self.more():
            end = self._buffer.find(b"\n", self._at)
            part = self._buffer[self._at : len(self._buffer) if end < 0 else end]
            line += part
            if len(line) > _MAX_LINE:
                raise refusals.incomplete_body()
            self._at += len(part) + (end >= 0)
            if end >= 0:
                break
        return line.removesuffix(b"\r")
