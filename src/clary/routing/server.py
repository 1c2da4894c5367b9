"""One model server: its address and the open connections to it."""

import asyncio

from clary.instance.network.address import host_and_port, socket_path
from clary.routing.connection import Answer, Connection, ConnectionLost
from clary.routing.message import Message
from clary.routing.routes import Container

FULL_BACKLOG = (0.005, 0.02, 0.1, 0.5)
"""Seconds between tries to connect to a server whose queue of connections is full."""


class ServerDown(Exception):
    """The server cannot be reached: it never saw the request, so another may be tried. The argument of this, and of the
    others, is the container's hostname."""


class AnswerLost(Exception):
    """The server took the request and broke off. Another is not tried: what kills one kills the next."""


class AnswerTimeout(Exception):
    """The model did not answer in time."""


class ModelServer:
    def __init__(self, container: Container) -> None:
        self.address = container.address
        self.hostname = container.hostname
        self.serves_many = bool(container.models)
        self._idle: list[Connection] = []

    async def send(self, message: Message, timeout: float, streaming: bool = False) -> Answer:
        """One exchange; raises `ServerDown`, `AnswerLost` or `AnswerTimeout` (after `timeout` seconds)."""
        answer = await self._send(message.encode(to_many=self.serves_many), timeout, streaming)
        answer.container = self.hostname
        return answer

    async def _send(self, request: bytes, timeout: float, streaming: bool) -> Answer:
        connection = self._take_idle()
        if connection is not None:
            try:
                return await self._exchange(connection, request, timeout, streaming)
            except ConnectionLost as lost:
                if not lost.unanswered:
                    raise AnswerLost(self.hostname) from None
        # A server may close a connection just as it is used again, having seen nothing: one more try on a new one.
        again = connection is not None
        try:
            connection = await self._connect()
        except OSError:
            raise (AnswerLost if again else ServerDown)(self.hostname) from None
        try:
            return await self._exchange(connection, request, timeout, streaming)
        except ConnectionLost:
            raise AnswerLost(self.hostname) from None

    async def _exchange(self, connection: Connection, request: bytes, timeout: float, streaming: bool) -> Answer:
        timed_out = False

        def give_up() -> None:
            nonlocal timed_out
            timed_out = True
            connection.abort()

        timer = asyncio.get_running_loop().call_later(timeout, give_up)
        try:
            answer = await connection.exchange(request, streaming)
        except ConnectionLost:
            if timed_out:
                raise AnswerTimeout(self.hostname) from None
            raise
        except asyncio.CancelledError:
            connection.abort()
            raise
        finally:
            timer.cancel()
        if not streaming and not connection.closed:
            self._idle.append(connection)
        return answer

    def _take_idle(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if not connection.closed:
                return connection
        return None

    async def _connect(self) -> Connection:
        for pause in FULL_BACKLOG:
            try:
                return await self._connect_now()
            except BlockingIOError:
                await asyncio.sleep(pause)
        return await self._connect_now()

    async def _connect_now(self) -> Connection:
        loop = asyncio.get_running_loop()
        with socket_path(self.address) as path:
            if path is None:
                _, connection = await loop.create_connection(lambda: Connection(loop), *host_and_port(self.address))
            else:
                _, connection = await loop.create_unix_connection(lambda: Connection(loop), path)
            return connection
