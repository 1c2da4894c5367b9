"""Connections that go from one process to another: who accepted one hands on what it does not answer itself.

    HandingConnection ─ the first bytes of a request ─▶ here(bytes)? ─ yes ─▶ answered, like every connection
                                                            └─ no ─▶ Sender ══ socket, and the bytes read ══▶ receive

The connection itself is handed on, not its bytes: whoever gets it has the client's socket and address, and who gave it
carries nothing of what follows.
"""

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable, Iterator

from clary.wire.connection import Connection, Owner
from clary.wire.reading import Exchange

MOST_AT_ONCE = 64
"""Connections taken before others have their turn."""


class HandingConnection(Connection):
    """`here(bytes)` says of the first bytes of a request whether it is answered here; `hand_on` gets the others'
    connection: a copy of its descriptor, and those bytes."""

    def __init__(
        self,
        owner: Owner,
        loop: asyncio.AbstractEventLoop,
        here: Callable[[bytes], bool],
        hand_on: Callable[[int, bytes], None],
    ) -> None:
        super().__init__(owner, loop)
        self._here = here
        self._hand_on = hand_on
        self._new = True
        self._within = False
        """Whether a request has begun whose end was not read."""

    def data_received(self, data: bytes) -> None:
        if self._is_at_rest() and not self._here(data):
            self._deaf = True
            self._transport.pause_reading()
            self._hand_on(os.dup(self._transport.get_extra_info("socket").fileno()), data)
            self._transport.abort()
            return
        self._new = False
        super().data_received(data)

    def _is_at_rest(self) -> bool:
        """Whether what comes now begins a request, with nothing before it under way."""
        awaited = self._new or self._arrival is not None
        return awaited and not self._within and not self._deaf and not self._transport.get_write_buffer_size()

    def began(self) -> None:
        self._within = True
        super().began()

    def ended(self) -> None:
        self._within = False
        super().ended()


class ReturningConnection(Connection):
    """Of who gets what others do not answer: closed behind a request that they may answer once its client connects
    anew. `theirs` says so of a request's target.
    """

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop, theirs: Callable[[str], bool]) -> None:
        super().__init__(owner, loop)
        self._theirs = theirs

    def arrived(self, exchange: Exchange) -> None:
        exchange.keep_alive = exchange.keep_alive and not self._theirs(exchange.request.target)
        super().arrived(exchange)


class Sender:
    """Hands connections on, in order, over a packet socket. Belongs to the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, way: socket.socket) -> None:
        self._loop = loop
        self._way = way
        way.setblocking(False)
        self._waiting: deque[list[int]] = deque()

    def __call__(self, connection: int, received: bytes) -> None:
        """Takes the descriptor `connection` over."""
        # What was read travels in a file of its own: it may be larger than a packet.
        file = os.memfd_create("received", os.MFD_CLOEXEC)
        os.write(file, received)
        self._waiting.append([connection, file])
        if len(self._waiting) == 1:
            self._send()

    def _send(self) -> None:
        while self._waiting:
            descriptors = self._waiting[0]
            try:
                socket.send_fds(self._way, [b"c"], descriptors)
            except BlockingIOError:
                self._loop.add_writer(self._way.fileno(), self._send)
                return
            for descriptor in self._waiting.popleft():
                os.close(descriptor)
        self._loop.remove_writer(self._way.fileno())


def receive(way: socket.socket) -> Iterator[tuple[socket.socket, bytes]]:
    """The connections that have come over a packet socket that does not block, and what was read of each.

    Raises `EOFError` where the other side is gone.
    """
    for _ in range(MOST_AT_ONCE):
        try:
            packet, descriptors, _, _ = socket.recv_fds(way, 1, 2, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        if not packet:
            raise EOFError
        connection, file = descriptors
        try:
            received = os.pread(file, os.fstat(file).st_size, 0)
        finally:
            os.close(file)
        accepted = socket.socket(fileno=connection)
        accepted.setblocking(False)
        yield accepted, received
