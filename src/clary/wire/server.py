"""An HTTP/1.1 server for one handler: `serve(handler, host, port)`.

    accept → Connection (connection.py) → Reader (reading.py), RequestBody (bodies.py), Encoded (sending.py)

Hand-written on httptools and uvloop because every prediction of an endpoint passes through it, and a general
server keeps a fraction of their speed (`benchmarks/http_floor.py`).
"""

import asyncio
import contextlib
import socket

from clary.wire.connection import Connection, Handler

_SWEEP_SECONDS = 1.0
_BACKLOG = 2048


class Server:
    """A listening server. `port` is the one in use, 0 on a Unix socket."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.closing = False
        self._connections: set[Connection] = set()
        self._all_left = asyncio.Event()
        self.port = 0
        self._loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None

    async def listen(self, host: str, port: int, sock: socket.socket | None) -> None:
        def connect() -> Connection:
            return Connection(self, self._loop)

        if sock is None:
            self._listener = await self._loop.create_server(connect, host, port, backlog=_BACKLOG)
        elif sock.family == socket.AF_UNIX:
            self._listener = await self._loop.create_unix_server(connect, sock=sock, backlog=_BACKLOG)
        else:
            self._listener = await self._loop.create_server(connect, sock=sock, backlog=_BACKLOG)
        address = self._listener.sockets[0].getsockname()
        self.port = address[1] if isinstance(address, tuple) else 0
        self._sweep()

    async def close(self, grace: float = 10.0) -> None:
        """Stop listening, let the exchanges under way finish for up to `grace` seconds, then cut them off."""
        self.closing = True
        self._listener.close()
        for connection in list(self._connections):
            connection.close_when_idle()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_left.wait(), grace)
        for connection in list(self._connections):
            connection.abort()
        if self._sweeper is not None:
            self._sweeper.cancel()

    def joined(self, connection: Connection) -> None:
        self._connections.add(connection)
        self._all_left.clear()

    def left(self, connection: Connection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._all_left.set()

    def _sweep(self) -> None:
        now = self._loop.time()
        for connection in list(self._connections):
            connection.check_deadlines(now)
        self._sweeper = self._loop.call_later(_SWEEP_SECONDS, self._sweep)


async def serve(handler: Handler, host: str, port: int, sock: socket.socket | None = None) -> Server:
    """Serve `handler` on `host:port`, or on a bound socket (TCP or Unix). Called once a head is complete."""
    server = Server(handler)
    await server.listen(host, port, sock)
    return server
