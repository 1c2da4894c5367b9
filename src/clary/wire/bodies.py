"""A request body between the socket and the handler.

    connection.data_received → feed → [at most about 1 MiB of chunks] → handler: `async for` or `read(limit)`
                    pause / resume reading ←┘

A body that the handler leaves unread is discarded as it arrives, so that the connection can carry its next
request, up to a bound that a well-meant upload does not reach.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from clary.wire.http import BodyError, BodyTooLarge

HIGH_WATER = 1024 * 1024
DISCARD_LIMIT = 64 * 1024 * 1024


class Flow(Protocol):
    """What a body asks of its connection."""

    def regulate(self) -> None:
        """Reading from the socket may have to pause or to go on."""

    def send_continue(self) -> None:
        """Tell a client that sent `Expect: 100-continue` to go ahead."""


async def join(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """All chunks as one; raises `BodyTooLarge` past `limit` bytes."""
    parts, size = [], 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        parts.append(chunk)
    return b"".join(parts)


class RequestBody:
    """The `Body` of one request; the connection feeds it, the handler reads it."""

    __slots__ = (
        "_chunks",
        "_discarding",
        "_error",
        "_flow",
        "_length",
        "_waiter",
        "awaits_continue",
        "buffered",
        "ended",
    )

    def __init__(self, flow: Flow, length: int | None, expects_continue: bool) -> None:
        self._flow = flow
        self._length = length
        self._chunks: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._error: BodyError | None = None
        self._discarding: int | None = None
        self.awaits_continue = expects_continue
        self.buffered = 0
        self.ended = False

    def feed(self, chunk: bytes) -> bool:
        """Take what has arrived; False when a discarded body has passed its bound."""
        self.awaits_continue = False
        if self._discarding is not None:
            self._discarding += len(chunk)
            return self._discarding <= DISCARD_LIMIT
        self._chunks.append(chunk)
        self.buffered += len(chunk)
        self._wake()
        return True

    def end(self) -> None:
        self.ended = True
        self._wake()

    def fail(self, error: BodyError) -> None:
        if not self.ended:
            self._error = error
            self.ended = True
            self._wake()

    def discard(self) -> None:
        """Nobody reads this body any more."""
        self._chunks.clear()
        self.buffered = 0
        self._discarding = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        while not self._chunks:
            if self._error is not None:
                raise self._error
            if self.ended:
                # An empty body is asked for too: botocore before 1.44 mistakes the next answer otherwise.
                self._invite()
                raise StopAsyncIteration
            await self._arrival()
        chunk = self._chunks.popleft()
        self.buffered -= len(chunk)
        self._flow.regulate()
        return chunk

    async def read(self, limit: int) -> bytes:
        if self._length is not None and self._length > limit:
            raise BodyTooLarge(limit)
        if len(self._chunks) == 1 and self.ended and self._error is None and self.buffered <= limit:
            self.buffered = 0
            return self._chunks.popleft()
        return await join(self, limit)

    async def _arrival(self) -> None:
        self._invite()
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _invite(self) -> None:
        if self.awaits_continue:
            self.awaits_continue = False
            self._flow.send_continue()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
