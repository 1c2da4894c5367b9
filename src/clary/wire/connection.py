"""One client connection: bytes in, handler called, bytes out, in order.

    data_received → Reader (reading.py) → arrived: an Exchange joins the queue
    task _serve, one exchange at a time: handler(request) → encode → write → the next exchange

The handler is called when the head is complete; the body of a small request has arrived by then as well. One
task serves the connection's whole life: one for each request costs more than parsing it. For the same reason
deadlines are plain numbers that `Server` looks at once a second.
"""

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, cast

from clary.wire.answers import crashed, unreadable
from clary.wire.bodies import HIGH_WATER, RequestBody
from clary.wire.http import (
    BodyError,
    BodyMalformed,
    BodyTimeout,
    ClientDisconnected,
    Request,
    Response,
)
from clary.wire.reading import Exchange, Reader, Refused
from clary.wire.sending import Encoded, encode, send_body

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]

HEAD_SECONDS = 30.0
IDLE_SECONDS = 75.0
STALL_SECONDS = 60.0
"""How long a client may send nothing of an unfinished body, or take nothing of an unfinished answer."""
LINGER_SECONDS = 2.0
_JOIN_LIMIT = 64 * 1024
"""Up to this size a body is copied behind its head to go out in one write."""


class Owner(Protocol):
    """What a connection knows of its server."""

    handler: Handler
    closing: bool

    def joined(self, connection: "Connection") -> None: ...

    def left(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self.received = b""
        """What was read of it by who accepted it."""
        self._reader = Reader(self)
        self._queue: deque[Exchange] = deque()
        self._arrival: asyncio.Future[None] | None = None
        """Set while `_serve` waits for an exchange."""
        self._incoming: Exchange | None = None
        """The exchange read last: bytes of body are its own."""
        self._refusal: Response | None = None
        """The answer to what could not be read, due after those before it."""
        self._deaf = False
        self._reading = True
        self._writable: asyncio.Future[None] | None = None
        self._unsent = 0
        self._read_deadline = self._write_deadline = math.inf

    # The socket's events

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        self.peer = str(peer[0]) if isinstance(peer, tuple) else ""
        self._owner.joined(self)
        self._task = self._loop.create_task(self._serve())
        if self.received:
            received, self.received = self.received, b""
            self.data_received(received)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            if not self._reader.feed(data):
                self._deaf = True
        except Refused as refused:
            self._refuse(refused.answer)

    def connection_lost(self, _error: Exception | None) -> None:
        self._owner.left(self)
        self._deaf = True
        if self._incoming is not None:
            self._incoming.body.fail(ClientDisconnected("the client went away before the end of the body"))
        self._task.cancel()

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()
        self._unsent = self._transport.get_write_buffer_size()
        self._write_deadline = self._loop.time() + STALL_SECONDS

    def resume_writing(self) -> None:
        self._write_deadline = math.inf
        if self._writable is not None and not self._writable.done():
            self._writable.set_result(None)
        self._writable = None

    # What the reader tells

    def began(self) -> None:
        if self._arrival is not None:
            self._read_deadline = self._loop.time() + HEAD_SECONDS

    def arrived(self, exchange: Exchange) -> None:
        self._incoming = exchange
        self._queue.append(exchange)
        self._read_deadline = self._loop.time() + STALL_SECONDS
        if self._arrival is None:
            self.regulate()
        else:
            self._wake()

    def took(self, body: RequestBody, kept: bool) -> None:
        if not kept:
            self.abort()
        self._read_deadline = self._loop.time() + STALL_SECONDS
        if body.buffered > HIGH_WATER:
            self.regulate()

    def ended(self) -> None:
        # An answer given before its body had ended leaves nobody else to start the idle time.
        self._read_deadline = math.inf if self._arrival is None else self._loop.time() + IDLE_SECONDS

    # What bodies, the sender and the server ask

    def regulate(self) -> None:
        """Read from the socket only while there is room for what comes."""
        incoming = self._incoming
        wanted = not self._queue and (incoming is None or incoming.body.buffered <= HIGH_WATER)
        if wanted is self._reading or self._transport.is_closing():
            return
        self._reading = wanted
        if wanted:
            self._transport.resume_reading()
            if incoming is not None and not incoming.body.ended:
                self._read_deadline = self._loop.time() + STALL_SECONDS
        else:
            self._transport.pause_reading()
            self._read_deadline = math.inf

    def send_continue(self) -> None:
        self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def write(self, data: bytes | memoryview) -> None:
        self._transport.write(data)

    async def drained(self) -> None:
        if self._writable is not None:
            await self._writable
        else:
            await asyncio.sleep(0)

    def check_deadlines(self, now: float) -> None:
        if now > self._write_deadline:
            unsent = self._transport.get_write_buffer_size()
            if unsent >= self._unsent:
                self.abort()
            self._unsent = unsent
            self._write_deadline = now + STALL_SECONDS
        if now > self._read_deadline:
            self._read_deadline = math.inf
            if self._arrival is not None or self._incoming is None or self._deaf:
                self.abort()
            else:
                self._incoming.keep_alive = False
                self._incoming.body.fail(BodyTimeout("the client stopped sending its request body"))

    def close_when_idle(self) -> None:
        """Wake `_serve` to see `closing`; an exchange under way closes the connection when it is done."""
        self._wake()

    def abort(self) -> None:
        self._deaf = True
        self._transport.abort()

    # Exchanges, one after the other

    async def _serve(self) -> None:
        while await self._exchange_is_due():
            exchange = self._queue.popleft()
            if self._queue or not self._reading:
                self.regulate()
            if not await self._answer(exchange):
                return

    async def _exchange_is_due(self) -> bool:
        """Wait for the next exchange; False when there will be none and the connection is closing."""
        while not self._queue:
            if self._refusal is not None:
                refusal = encode(self._refusal, "GET", http_1_0=False, close=True)
                self._transport.write(refusal.whole())
                self._linger()
                return False
            if self._owner.closing:
                self._transport.close()
                return False
            self._read_deadline = self._loop.time() + IDLE_SECONDS
            self._arrival = self._loop.create_future()
            await self._arrival
        return True

    def _wake(self) -> None:
        if self._arrival is not None and not self._arrival.done():
            self._arrival.set_result(None)
        self._arrival = None

    async def _answer(self, exchange: Exchange) -> bool:
        """Whether the connection can carry another exchange after this one."""
        try:
            encoded = await self._respond(exchange)
            if isinstance(encoded.body, bytes):
                self._write_whole(encoded.head, encoded.body)
                if self._writable is not None:
                    await self._writable
            else:
                self.write(encoded.head)
                await send_body(self, encoded)
        except ClientDisconnected:
            self.abort()
            return False
        except asyncio.CancelledError:
            self.abort()
            raise
        except Exception:
            log.exception("%s %s: the answer broke off", exchange.request.method, exchange.request.path)
            self.abort()
            return False
        return self._finish(exchange, encoded.close or not exchange.keep_alive)

    async def _respond(self, exchange: Exchange) -> Encoded:
        try:
            return self._encode(exchange, await self._owner.handler(exchange.request))
        except ClientDisconnected:
            raise
        except BodyError as error:
            return self._encode(exchange, unreadable(error))
        except Exception:
            return self._encode(exchange, crashed(exchange.request))

    def _encode(self, exchange: Exchange, response: Response) -> Encoded:
        # A client that still waits for its 100 either sends the body later or never: nobody can tell.
        unclear = exchange.body.awaits_continue and not exchange.body.ended
        close = not exchange.keep_alive or unclear or self._owner.closing
        return encode(response, exchange.request.method, exchange.http_1_0, close)

    def _write_whole(self, head: bytes, body: bytes) -> None:
        if len(body) <= _JOIN_LIMIT:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def _finish(self, exchange: Exchange, close: bool) -> bool:
        if not exchange.body.ended:
            exchange.body.discard()
            self.regulate()
            if close:
                self._linger()
        elif close:
            self._transport.close()
        return not close

    def _refuse(self, response: Response) -> None:
        """Stop listening; answer `response`, unless the error lies in a body: its handler answers that."""
        self._deaf = True
        incoming = self._incoming
        if incoming is None or incoming.body.ended:
            self._refusal = response
            self._wake()
        elif self._arrival is not None:
            self.abort()
        else:
            incoming.keep_alive = False
            incoming.body.fail(BodyMalformed("the request body breaks HTTP's framing"))

    def _linger(self) -> None:
        """Close, but take what the client still sends: closing on unread bytes resets the answer away."""
        self._deaf = True
        if self._transport.is_closing() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._transport.write_eof()
        self._read_deadline = self._loop.time() + LINGER_SECONDS
