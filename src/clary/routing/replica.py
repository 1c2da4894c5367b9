"""A healthy replica as one process uses it: the servers of its containers, and how busy they are.

    request ─▶ container-1 ─ body, content type ─▶ container-2 ─ … ─▶ the last, which alone is told what the caller
                                                                      accepts ─▶ answer

Whoever has the addresses of a model's containers (batch transform too) makes a `Replica` of a `Target` of them.
"""

from collections.abc import AsyncIterator

from clary.routing.connection import Answer
from clary.routing.message import Message
from clary.routing.routes import Target
from clary.routing.server import AnswerLost, ModelServer, ServerDown


class Replica:
    def __init__(self, target: Target) -> None:
        self.instance_id = target.instance_id
        self.containers = [ModelServer(container) for container in target.containers]
        self.outstanding = 0
        """Requests under way, streams to their end: the least busy replica is asked next."""
        self.held = 0
        """Bytes of their bodies."""

    async def send(self, message: Message, timeout: float, streaming: bool = False, container: str = "") -> Answer:
        """The answer of the container of that hostname, or of all in their order: the first that is not of 2xx ends it.

        Raises what `ModelServer.send` does; each container has `timeout` seconds.
        """
        size, streams = len(message.body), False
        self.outstanding += 1
        self.held += size
        try:
            answer = await self._send(message, timeout, streaming, container)
            if not isinstance(answer.body, bytes):
                answer.body, streams = self._to_its_end(answer.body), True
            return answer
        finally:
            self.held -= size
            self.outstanding -= not streams

    async def _to_its_end(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            self.outstanding -= 1

    async def _send(self, message: Message, timeout: float, streaming: bool, container: str) -> Answer:
        if len(self.containers) == 1:
            return await self.containers[0].send(message, timeout, streaming)
        if container:
            return await self._named(container).send(message, timeout, streaming)
        return await self._through_all(message, timeout, streaming)

    def _named(self, hostname: str) -> ModelServer:
        return next(server for server in self.containers if server.hostname == hostname)

    async def _through_all(self, message: Message, timeout: float, streaming: bool) -> Answer:
        first, *between, last = self.containers
        answer = await first.send(message.unaccepting(), timeout)
        try:
            for server in between:
                if not answer.went_well:
                    break
                answer = await server.send(message.followed_by(answer).unaccepting(), timeout)
            if answer.went_well:
                return await last.send(message.followed_by(answer), timeout, streaming)
        except ServerDown as down:
            # The first has seen it: no other replica is asked.
            raise AnswerLost(str(down)) from None
        return answer.as_stream() if streaming else answer
