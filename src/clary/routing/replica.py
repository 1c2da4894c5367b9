"""A healthy replica as one process uses it: the servers of its containers, and how busy they are."""

from collections.abc import AsyncIterator

from clary.routing.connection import Answer
from clary.routing.message import Message
from clary.routing.routes import Target
from clary.routing.server import ModelServer


class Replica:
    def __init__(self, target: Target) -> None:
        self.instance_id = target.instance_id
        self.containers = [ModelServer(container.address, container.hostname) for container in target.containers]
        self.outstanding = 0
        """Requests under way, streams to their end: the least busy replica is asked next."""
        self.held = 0
        """Bytes of their bodies."""

    async def send(self, message: Message, timeout: float, streaming: bool = False) -> Answer:
        """The container's answer; raises what `ModelServer.send` does."""
        size, streams = len(message.body), False
        self.outstanding += 1
        self.held += size
        try:
            answer = await self.containers[0].send(message.encode(), timeout, streaming)
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
