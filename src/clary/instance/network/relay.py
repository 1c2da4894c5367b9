"""Relays: what comes in at a socket goes on to another one, byte for byte, until both sides have ended.

    listener ─ accept ─▶ dial(connection) ─▶ the other side          a Relay holds any number of both
                 recv ──▶ Flow ──▶ send       each way on its own: who is slow holds up its own sender,
                 send ◀── Flow ◀── recv       who has said all may still listen

Who cannot be reached reads as a connection that is reset: a server that does not listen yet is nothing to fail for.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
import struct
from collections.abc import Callable
from errno import EINPROGRESS

CHUNK = 256 * 1024
BACKLOG = 1024
ACCEPTED_AT_ONCE = 64
CHUNKS_AT_ONCE = 8
"""Of one connection, before the others have their turn."""
SPARE_FILES = 64
RESET = struct.pack("ii", 1, 0)
"""struct linger: close with a reset, so that the other side does not take it for the end of what was sent."""

Dial = Callable[[socket.socket], socket.socket]
"""From an accepted connection to a socket that connects to the other side, without waiting. Raises OSError."""


class Relay:
    """`run` never returns; the process that runs it ends with its instance."""

    def __init__(self) -> None:
        _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        self._room = (most - SPARE_FILES) // 2
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._dials: dict[socket.socket, Dial] = {}
        self._paused = False

    def add(self, listener: socket.socket, dial: Dial) -> None:
        listener.setblocking(False)
        self._dials[listener] = dial
        self.watch(listener, select.EPOLLIN, lambda _events: self._accept(listener, dial))

    def watch(self, sock: socket.socket, events: int, handler: Callable[[int], None]) -> None:
        self._handlers[sock.fileno()] = handler
        self._epoll.register(sock, events)

    def change(self, sock: socket.socket, events: int) -> None:
        self._epoll.modify(sock, events)

    def forget(self, sock: socket.socket) -> None:
        """Before it is closed."""
        del self._handlers[sock.fileno()]
        self._epoll.unregister(sock)

    def run(self) -> None:
        while True:
            for fd, events in self._epoll.poll():
                handler = self._handlers.get(fd)
                # An earlier one of the same round may have ended it.
                if handler:
                    handler(events)

    def _accept(self, listener: socket.socket, dial: Dial) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            if self._room <= 0:
                self._pause(True)
                return
            try:
                near, _ = listener.accept()
            except OSError:
                return
            near.setblocking(False)
            try:
                far = dial(near)
            except OSError:
                _reset(near)
                continue
            self._room -= 1
            Pair(self, near, far, self._ended)

    def _ended(self) -> None:
        self._room += 1
        if self._paused:
            self._pause(False)

    def _pause(self, paused: bool) -> None:
        """Whoever comes while every descriptor is taken waits in the kernel's line."""
        self._paused = paused
        for listener in self._dials:
            self.change(listener, 0 if paused else select.EPOLLIN)


class Flow:
    """One direction of a connection."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self.source, self.sink = source, sink
        self.waiting = memoryview(b"")
        """Read, and not yet sent."""
        self.read_all = False
        self.sent_all = False

    def move(self) -> None:
        """As much as both sides have and take now. Raises OSError where the source was cut off."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(CHUNKS_AT_ONCE):
                if not self._send() or self.read_all:
                    break
                data = self.source.recv(CHUNK)
                self.read_all = not data
                self.waiting = memoryview(data)
        if self.read_all and not self.waiting and not self.sent_all:
            self.sent_all = True
            with contextlib.suppress(OSError):
                self.sink.shutdown(socket.SHUT_WR)

    def _send(self) -> bool:
        """Whether nothing waits any more. To one who hears no more there is nothing to say; it may still speak."""
        try:
            while self.waiting:
                self.waiting = self.waiting[self.sink.send(self.waiting) :]
        except BlockingIOError:
            return False
        except OSError:
            self.read_all, self.waiting = True, memoryview(b"")
        return True

    @property
    def wants(self) -> bool:
        return not self.read_all and not self.waiting


class Pair:
    """Two connected sockets, each of which gets what the other says."""

    def __init__(self, relay: Relay, near: socket.socket, far: socket.socket, ended: Callable[[], None]) -> None:
        self._relay = relay
        self._ended = ended
        self._there, self._back = Flow(near, far), Flow(far, near)
        self._asked = {near: 0, far: select.EPOLLOUT}
        """Socket → what epoll was asked for; a socket without an entry is not watched."""
        relay.watch(near, 0, lambda events: self._move(near, events))
        relay.watch(far, select.EPOLLOUT, self._connected)

    def _connected(self, events: int) -> None:
        far = self._back.source
        if far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(_reset)
            return
        self._relay.forget(far)
        self._relay.watch(far, select.EPOLLOUT, lambda events: self._move(far, events))
        self._move(far, events & ~select.EPOLLHUP)

    def _move(self, side: socket.socket, events: int) -> None:
        own = self._there if side is self._there.source else self._back
        try:
            self._there.move()
            self._back.move()
        except OSError:
            self._end(_reset)
            return
        if self._there.sent_all and self._back.sent_all:
            self._end(socket.socket.close)
        elif events & (select.EPOLLHUP | select.EPOLLERR) and own.read_all:
            # It has said all, and is not there to hear any more.
            self._end(_reset)
        else:
            self._ask(self._there, self._back)
            self._ask(self._back, self._there)

    def _ask(self, own: Flow, other: Flow) -> None:
        """Watch a side for what is missing. One from which nothing can be taken now is not watched for its end either,
        which epoll would tell of again and again."""
        side = own.source
        events = (select.EPOLLIN if own.wants else 0) | (select.EPOLLOUT if other.waiting else 0)
        wanted = events if events or own.read_all else None
        if wanted == self._asked.get(side):
            return
        if wanted is None:
            self._relay.forget(side)
            del self._asked[side]
            return
        if side in self._asked:
            self._relay.change(side, wanted)
        else:
            self._relay.watch(side, wanted, lambda events: self._move(side, events))
        self._asked[side] = wanted

    def _end(self, close: Callable[[socket.socket], None]) -> None:
        for side in (self._there.source, self._back.source):
            if side in self._asked:
                self._relay.forget(side)
            close(side)
        self._ended()


def connecting(address: tuple[str, int]) -> socket.socket:
    """A socket on its way to an IPv4 address."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    failed = sock.connect_ex(address)
    if failed not in (0, EINPROGRESS):
        sock.close()
        raise OSError(failed, os.strerror(failed))
    return sock


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()
