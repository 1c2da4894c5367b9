"""HTTP/1.1 for a model server: one connection, one request at a time, no more than inference needs.

    bytes → httptools parser → Request → `handle(request, reply)` → Response → bytes

`handle` may call `reply` at once or later, always on the loop's thread. While a request is being answered
no more is read from its connection; what was pipelined waits in line.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import httptools

REASONS = {status.value: status.phrase for status in HTTPStatus}


class Request:
    __slots__ = ("body", "headers", "method", "target")

    def __init__(self, method: str, target: str, headers: dict[str, str], body: bytes) -> None:
        self.method = method
        self.target = target
        """Path with the query, as sent."""
        self.headers = headers
        """Names in lower case; of a repeated header the last value."""
        self.body = body


class Response:
    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(
        self,
        body: bytes | str = b"",
        content_type: str = "text/plain",
        status: int = 200,
        headers: dict[str, str] | None = None,
    ) -> None:
        self.body = body.encode() if isinstance(body, str) else body
        self.content_type = content_type
        self.status = status
        self.headers = headers or {}

    def encode(self, keep_alive: bool) -> bytes:
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, '')}",
            f"content-type: {self.content_type}",
            f"content-length: {len(self.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not keep_alive:
            lines.append("connection: close")
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


Reply = Callable[[Response], None]
Handler = Callable[[Request, Reply], None]


class HttpConnection(asyncio.Protocol):
    def __init__(self, handle: Handler, closed: Callable[["HttpConnection"], None], limit: int) -> None:
        """`closed` is told of the connection's end; `limit` is the largest body in bytes."""
        self._handle = handle
        self._closed = closed
        self._limit = limit
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._busy = False
        self._closing = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._closing = True
        self._closed(self)

    def data_received(self, data: bytes) -> None:
        if self._closing:
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # The request that asked for another protocol is answered in this one.
        except httptools.HttpParserError as error:
            self._refuse(400, f"Not an HTTP request: {error}")

    def close_when_idle(self) -> None:
        """Answer what is under way, then close."""
        self._closing = True
        if not self._busy:
            self._transport.close()

    # The parser calls these, in this order, for every request.

    def on_message_begin(self) -> None:
        self._target = b""
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._received = 0

    def on_url(self, url: bytes) -> None:
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, chunk: bytes) -> None:
        self._received += len(chunk)
        if self._received <= self._limit:
            self._chunks.append(chunk)
        elif not self._closing:
            self._refuse(413, f"The request is larger than {self._limit} bytes.")

    def on_message_complete(self) -> None:
        if self._closing:
            return
        method = self._parser.get_method().decode("latin-1")
        request = Request(method, self._target.decode("latin-1"), self._headers, b"".join(self._chunks))
        keep_alive = self._parser.should_keep_alive()
        if self._busy:
            self._waiting.append((request, keep_alive))
        else:
            self._begin(request, keep_alive)

    def _begin(self, request: Request, keep_alive: bool) -> None:
        self._busy = True
        self._transport.pause_reading()

        def reply(response: Response) -> None:
            self._finish(response, keep_alive)

        self._handle(request, reply)

    def _finish(self, response: Response, keep_alive: bool) -> None:
        self._busy = False
        if self._transport.is_closing():
            return
        keep_alive = keep_alive and not self._closing
        self._transport.write(response.encode(keep_alive))
        if not keep_alive:
            self._transport.close()
        elif self._waiting:
            self._begin(*self._waiting.popleft())
        else:
            self._transport.resume_reading()

    def _refuse(self, status: int, message: str) -> None:
        self._closing = True
        self._transport.write(Response(message, status=status).encode(keep_alive=False))
        self._transport.close()
