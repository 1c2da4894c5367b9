"""A response on its way out: head, framing, and bodies sent in parts with back-pressure.

    Response → encode (head bytes, and how the body is framed) → send_body → Outlet (the connection)

Files go out as `preadv` chunks through the transport rather than by `sendfile`: uvloop has none, TLS
transports cannot use one, and a page-cache read costs less than the socket write that follows it.
`RWF_NOWAIT` keeps a read that has to wait for the disk off the event loop.
"""

import asyncio
import errno
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from clary.wire.dates import http_date
from clary.wire.http import FileBody, Response

FILE_CHUNK = 256 * 1024
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}" for status in HTTPStatus}
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "date"})
_BODILESS = frozenset({204, 304})


class Outlet(Protocol):
    """The write side of a connection."""

    def write(self, data: bytes | memoryview) -> None: ...

    async def drained(self) -> None:
        """Wait until the client has taken enough of what was written. Always lets other tasks run once."""


class ResponseTruncated(Exception):
    """A body turned out shorter or longer than announced; only closing the connection tells the client."""


@dataclass(frozen=True, slots=True)
class Encoded:
    head: bytes
    body: bytes | FileBody | AsyncIterator[bytes]
    """`b""` where HTTP forbids a body."""
    length: int | None
    """Bytes of body to follow; None when it ends with its last chunk or with the connection."""
    chunked: bool
    close: bool

    def whole(self) -> bytes:
        """Head and body together, of an answer that is plain bytes."""
        assert isinstance(self.body, bytes)
        return self.head + self.body


def encode(response: Response, method: str, http_1_0: bool, close: bool) -> Encoded:
    """Raises `ValueError` for a header that would break out of its line."""
    lines = [_STATUS_LINES.get(response.status) or f"HTTP/1.1 {response.status} "]
    declared: int | None = None
    for name, value in response.headers:
        key = name.lower()
        if key not in _FRAMING:
            lines.append(f"{name}: {value}")
        elif key == "content-length":
            declared = int(value)
    length = _body_length(response, method, declared)
    chunked = False
    if response.status in _BODILESS:
        length = 0
    elif length is not None:
        lines.append(f"content-length: {length}")
    elif http_1_0:
        close = True
    else:
        chunked = True
        lines.append("transfer-encoding: chunked")
    lines.append(f"date: {http_date(time.time())}")
    if close:
        lines.append("connection: close")
    text = "\r\n".join(lines)
    if text.count("\n") != len(lines) - 1 or text.count("\r") != len(lines) - 1:
        raise ValueError("a response header holds a line break")
    head = (text + "\r\n\r\n").encode("latin-1")
    if method == "HEAD" or response.status in _BODILESS:
        return Encoded(head, b"", 0, False, close)
    return Encoded(head, response.body, length, chunked, close)


def _body_length(response: Response, method: str, declared: int | None) -> int | None:
    body = response.body
    if isinstance(body, bytes):
        # The answer to HEAD has no bytes of its own, but announces those of GET.
        return declared if method == "HEAD" and declared is not None else len(body)
    return body.length if isinstance(body, FileBody) else declared


async def send_body(outlet: Outlet, encoded: Encoded) -> None:
    """Send what follows the head, for a body that is not plain bytes."""
    if isinstance(encoded.body, FileBody):
        await _send_file(outlet, encoded.body)
    elif not isinstance(encoded.body, bytes):
        await _send_chunks(outlet, encoded.body, encoded.length, encoded.chunked)


async def _send_file(outlet: Outlet, body: FileBody) -> None:
    loop = asyncio.get_running_loop()
    descriptor = os.open(body.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        offset, end = body.offset, body.offset + body.length
        while offset < end:
            size = min(FILE_CHUNK, end - offset)
            chunk: bytes | memoryview | None = _read_cached(descriptor, size, offset)
            if chunk is None:
                chunk = await loop.run_in_executor(None, os.pread, descriptor, size, offset)
            if not chunk:
                raise ResponseTruncated(f"{body.path} ends at {offset}, {end} was announced")
            outlet.write(chunk)
            offset += len(chunk)
            await outlet.drained()
    finally:
        os.close(descriptor)


def _read_cached(descriptor: int, size: int, offset: int) -> memoryview | None:
    """What the page cache holds at `offset`; None where the disk would have to be waited for."""
    buffer = bytearray(size)
    try:
        count = os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EOPNOTSUPP):
            return None
        raise
    return memoryview(buffer)[:count]


async def _send_chunks(outlet: Outlet, chunks: AsyncIterator[bytes], length: int | None, chunked: bool) -> None:
    sent = 0
    try:
        async for chunk in chunks:
            sent += len(chunk)
            if length is not None and sent > length:
                raise ResponseTruncated(f"a body announced as {length} bytes goes on")
            if chunk:
                outlet.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
                await outlet.drained()
    finally:
        # A client that went away must end the generator now, not whenever it is collected.
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
    if length is not None and sent < length:
        raise ResponseTruncated(f"a body announced as {length} bytes ended at {sent}")
    if chunked:
        outlet.write(b"0\r\n\r\n")
