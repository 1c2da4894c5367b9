"""A client's side of HTTP/1.1 to one model server: keep-alive connections on httptools, one exchange at a time.

Written by hand because every invocation of an endpoint goes through it: a general HTTP client costs several
times what the whole rest of the path does.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import cast

import httptools

LARGEST_ANSWER = 25 << 20
"""Bytes of an answer that is not streamed."""
LOOK_BACK = 64
"""Chunks of a streamed answer held for a slow reader before the socket is paused."""


class ConnectionLost(Exception):
    """The server closed the connection before its answer was whole. `unanswered` when no byte of it had come."""

    def __init__(self, unanswered: bool) -> None:
        super().__init__("the model server closed the connection")
        self.unanswered = unanswered


class AnswerTooLarge(Exception):
    """The answer is larger than `LARGEST_ANSWER`."""


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes | AsyncIterator[bytes]
    container: str = ""
    """The hostname of the container that gave it, where there are several."""

    @property
    def went_well(self) -> bool:
        return 200 <= self.status < 300

    def as_stream(self) -> "Answer":
        """An answer that was not streamed, for one who reads streams."""
        return replace(self, body=_once(self.body) if isinstance(self.body, bytes) else self.body)


async def _once(body: bytes) -> AsyncIterator[bytes]:
    yield body


class Chunks:
    """The body of a streamed answer, with back-pressure on the server."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._done = False
        self._error: Exception | None = None

    def feed(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        if len(self._chunks) >= LOOK_BACK:
            self._connection.pause()
        self._news.set()

    def finish(self, error: Exception | None = None) -> None:
        self._done, self._error = True, error
        self._news.set()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                while self._chunks:
                    yield self._chunks.popleft()
                self._connection.resume()
                if self._error is not None:
                    raise self._error
                if self._done:
                    return
                self._news.clear()
                await self._news.wait()
        finally:
            # Streams are long and rare: their connection is not kept for another exchange.
            self._connection.close()


class Connection(asyncio.Protocol):
    """Carries one exchange after another; whoever made it sees to it that they do not overlap."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._waiter: asyncio.Future[Answer] | None = None
        self._stream: Chunks | None = None
        self._streaming = False
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self.closed = False

    async def exchange(self, request: bytes, streaming: bool) -> Answer:
        """Send one request and wait for its answer: whole, or from its head on when `streaming`."""
        assert self._transport is not None
        self._waiter = self._loop.create_future()
        self._streaming = streaming
        self._transport.write(request)
        return await self._waiter

    def close(self) -> None:
        self.closed = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, with whatever of the request is not sent yet."""
        self.closed = True
        if self._transport is not None:
            self._transport.abort()

    def pause(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.pause_reading()

    def resume(self) -> None:
        if self._transport is not None and not self.closed:
            self._transport.resume_reading()

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
            self._fail(unanswered=False)

    def connection_lost(self, _error: Exception | None) -> None:
        self.closed = True
        self._fail(unanswered=not self._headers and not self._body)

    def _fail(self, unanswered: bool) -> None:
        error = ConnectionLost(unanswered)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        if self._stream is not None:
            self._stream.finish(error)

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._streaming and self._waiter is not None and not self._waiter.done():
            self._stream = Chunks(self)
            self._waiter.set_result(Answer(self._parser.get_status_code(), self._headers, aiter(self._stream)))

    def on_body(self, body: bytes) -> None:
        if self._stream is not None:
            self._stream.feed(body)
            return
        self._body.append(body)
        self._size += len(body)
        if self._size > LARGEST_ANSWER:
            if self._waiter is not None and not self._waiter.done():
                self._waiter.set_exception(AnswerTooLarge())
            self.abort()

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.close()
        headers, chunks = self._headers, self._body
        self._headers, self._body, self._size = {}, [], 0
        if self._stream is not None:
            self._stream.finish()
        elif self._waiter is not None and not self._waiter.done():
            body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
            self._waiter.set_result(Answer(self._parser.get_status_code(), headers, body))
