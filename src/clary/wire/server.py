"""An HTTP/1.1 server for one handler: `serve(handler, host, port)`.

    accept → Connection (connection.py) → Reader (reading.py), RequestBody (bodies.py), Encoded (sending.py)

Hand-written on httptools and uvloop because every prediction of an endpoint passes through it, and a general
server keeps a fraction of their speed (`benchmarks/http_floor.py`).
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from clary.wire.connection import Connection, Handler
from clary.wire.listening import bind

_SWEEP_SECONDS = 1.0
BACKLOG = 2048


class Server:
    """Serves what it accepts and what it is handed. `port` is the one in use, 0 on a Unix socket."""

    def __init__(
        self, handler: Handler, connect: Callable[["Server", asyncio.AbstractEventLoop], Connection] = Connection
    ) -> None:
        self.handler = handler
        self.closing = False
        self._connect = connect
        self._listeners: list[asyncio.Server] = []
        self._connections: set[Connection] = set()
        self._all_left = asyncio.Event()
        self.port = 0
        self._loop = asyncio.get_running_loop()
        self._sweep()

    async def listen(self, bound: socket.socket) -> None:
        """Accept on a bound socket, TCP or Unix."""

        def connect() -> Connection:
            return self._connect(self, self._loop)

        create = self._loop.create_unix_server if bound.family == socket.AF_UNIX else self._loop.create_server
        self._listeners.append(await create(connect, sock=bound, backlog=BACKLOG))
        address = bound.getsockname()
        self.port = address[1] if isinstance(address, tuple) else 0

    async def adopt(self, accepted: socket.socket, received: bytes = b"") -> None:
        """Serve a connection that another accepted, which has `received` that much of it."""

        def connect() -> Connection:
            connection = self._connect(self, self._loop)
            connection.received = received
            return connection

        await self._loop.connect_accepted_socket(connect, accepted)

    async def close(self, grace: float = 10.0) -> None:
        """Stop listening, let the exchanges under way finish for up to `grace` seconds, then cut them off."""
        self.closing = True
        for listener in self._listeners:
            listener.close()
        for connection in list(self._connections):
            connection.close_when_idle()
        if self._connections:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_left.wait(), grace)
        for connection in list(self._connections):
            connection.abort()
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
    for bound in [sock] if sock else bind(host, port):
        await server.listen(bound)
    return server
