"""One replica of a variant: its address, its open connections, how busy it is."""

import asyncio

from clary.routing.connection import Answer, Connection, ConnectionLost


class ReplicaDown(Exception):
    """The replica cannot be reached: nothing of the request was answered, another may be tried."""


class AnswerTimeout(Exception):
    """The model did not answer in time."""


class Replica:
    def __init__(self, instance_id: str, address: str) -> None:
        self.instance_id = instance_id
        self.address = address
        self.outstanding = 0
        """Requests under way: the least busy replica is asked next."""
        self._idle: list[Connection] = []

    async def send(self, request: bytes, timeout: float, streaming: bool = False) -> Answer:
        """One exchange; raises `ReplicaDown` or `AnswerTimeout` (seconds)."""
        self.outstanding += 1
        try:
            return await self._send(request, timeout, streaming)
        finally:
            self.outstanding -= 1

    async def _send(self, request: bytes, timeout: float, streaming: bool) -> Answer:
        while True:
            connection = self._take_idle()
            reused = connection is not None
            if connection is None:
                connection = await self._connect()
            try:
                return await self._exchange(connection, request, timeout, streaming)
            except ConnectionLost as lost:
                # A server may close a connection just as it is used again; then nothing was processed.
                if reused and lost.unanswered:
                    continue
                raise ReplicaDown(self.address) from None

    async def _exchange(self, connection: Connection, request: bytes, timeout: float, streaming: bool) -> Answer:
        timed_out = False

        def give_up() -> None:
            nonlocal timed_out
            timed_out = True
            connection.close()

        timer = asyncio.get_running_loop().call_later(timeout, give_up)
        try:
            answer = await connection.exchange(request, streaming)
        except ConnectionLost:
            if timed_out:
                raise AnswerTimeout from None
            raise
        except asyncio.CancelledError:
            connection.close()
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
        loop = asyncio.get_running_loop()
        scheme, _, where = self.address.partition(":")
        try:
            if scheme == "unix":
                _, connection = await loop.create_unix_connection(lambda: Connection(loop), where)
            else:
                _, connection = await loop.create_connection(lambda: Connection(loop), scheme, int(where))
        except OSError:
            raise ReplicaDown(self.address) from None
        return connection
