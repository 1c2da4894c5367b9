"""The messages of a platform: what services and reconcilers call."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection, Engine

from clary.database import afterwards, migrate, reading, writing
from clary.messages import queue as queues
from clary.messages.arrivals import Arrivals
from clary.messages.queue import DeadLetters, Draft, Message, Receipt
from clary.messages.tables import ROOM

T = TypeVar("T")


class Messages:
    """Safe to use from any thread; methods block. What is changed is durable when they return, or with the transaction
    that they are called within."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, ROOM)
        self._engine = engine
        self.arrivals = Arrivals()

    def view(self, read: Callable[[Connection], T]) -> T:
        with reading(self._engine) as connection:
            return read(connection)

    def change(self, change: Callable[[Connection], T]) -> T:
        with writing(self._engine) as connection:
            return change(connection)

    def send(self, queue: str, drafts: Sequence[Draft], kept: float) -> list[str]:
        """The ids of the messages. What is older than `kept` seconds goes on this occasion."""
        now = time.time()
        with writing(self._engine) as connection:
            queues.drop(connection, queue, now - kept)
            ids = queues.put(connection, queue, drafts, now)
            afterwards(partial(self.arrivals.tell, queue))
        return ids

    def receive(
        self, queue: str, most: int, hidden: float, kept: float, dead: DeadLetters | None = None
    ) -> list[Message]:
        """Up to `most` messages, which nobody else receives for `hidden` seconds."""
        now = time.time()
        first = self.view(partial(queues.next_visible, queue=queue))
        if first is None or first > now:
            return []
        with writing(self._engine) as connection:
            queues.drop(connection, queue, now - kept)
            if dead and queues.bury(connection, queue, dead, now):
                afterwards(partial(self.arrivals.tell, dead.queue))
            return queues.take(connection, queue, most, hidden, now)

    def remove(self, queue: str, receipts: Sequence[Receipt]) -> None:
        with writing(self._engine) as connection:
            for receipt in receipts:
                queues.remove(connection, queue, receipt)

    def hide(self, queue: str, receipt: Receipt, seconds: float) -> bool:
        """Change for how long from now on a received message is hidden. False where it no longer is."""
        now = time.time()
        with writing(self._engine) as connection:
            found = queues.hide(connection, queue, receipt, now + seconds, now)
            afterwards(partial(self.arrivals.tell, queue))
        return found
