"""A healthy replica as one process uses it: the servers of its containers, and how busy they are."""

from clary.routing.connection import Answer
from clary.routing.message import Message
from clary.routing.routes import Target
from clary.routing.server import ModelServer


class Replica:
    def __init__(self, target: Target) -> None:
        self.instance_id = target.instance_id
        self.containers = [ModelServer(container.address, container.hostname) for container in target.containers]
        self.outstanding = 0
        """Requests under way: the least busy replica is asked next."""

    async def send(self, message: Message, timeout: float, streaming: bool = False) -> Answer:
        """The container's answer; raises what `ModelServer.send` does."""
        self.outstanding += 1
        try:
            return await self.containers[0].send(message.encode(), timeout, streaming)
        finally:
            self.outstanding -= 1
