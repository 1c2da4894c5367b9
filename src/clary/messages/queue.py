"""Queues, within a transaction of the caller's.

A message is visible, or hidden until a moment: because it is delayed, or because somebody has received it and has yet
to remove it. Order is that of becoming visible, as far as there is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

import orjson
from sqlalchemy import Connection, Row, and_, case, func, select

from clary.messages.tables import queued


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sent."""

    body: str
    attributes: dict[str, Any] = field(default_factory=dict)
    system: dict[str, Any] = field(default_factory=dict)
    """What is told of it besides: who sent it."""
    delay: float = 0.0


class Receipt(NamedTuple):
    """Proof of one receipt of a message; worthless once it was received again."""

    id: int
    receives: int


@dataclass(frozen=True, slots=True)
class Message:
    id: str
    receipt: Receipt
    body: str
    attributes: dict[str, Any]
    system: dict[str, Any]
    sent: float
    first_received: float


class DeadLetters(NamedTuple):
    """Where messages go that were received `receives` times and are still there."""

    queue: str
    receives: int
    note: dict[str, Any]
    """Goes into what is told of each that is moved."""


class Counts(NamedTuple):
    visible: int
    received: int
    """Hidden because somebody has received them."""
    delayed: int


def put(connection: Connection, queue: str, drafts: Sequence[Draft], now: float) -> list[str]:
    """The ids of the messages."""
    ids = [str(uuid4()) for _ in drafts]
    rows = [
        {
            "queue": queue,
            "message": message,
            "body": draft.body,
            "attributes": orjson.dumps(draft.attributes).decode(),
            "system": orjson.dumps(draft.system).decode(),
            "sent": now,
            "visible": now + draft.delay,
            "receives": 0,
        }
        for message, draft in zip(ids, drafts, strict=True)
    ]
    connection.execute(queued.insert(), rows)
    return ids


def take(connection: Connection, queue: str, most: int, hidden: float, now: float) -> list[Message]:
    """Receive up to `most` messages, which are hidden from all others for `hidden` seconds."""
    is_visible = (queued.c.queue == queue) & (queued.c.visible <= now)
    due = select(queued).where(is_visible).order_by(queued.c.visible, queued.c.id).limit(most)
    rows = connection.execute(due.with_for_update(skip_locked=True)).all()
    if rows:
        change = queued.update().where(queued.c.id.in_([row.id for row in rows]))
        first = func.coalesce(queued.c.first_received, now)
        connection.execute(change.values(visible=now + hidden, receives=queued.c.receives + 1, first_received=first))
    return [_received(row, now) for row in rows]


def _received(row: Row[Any], now: float) -> Message:
    return Message(
        id=row.message,
        receipt=Receipt(row.id, row.receives + 1),
        body=row.body,
        attributes=orjson.loads(row.attributes),
        system=orjson.loads(row.system),
        sent=row.sent,
        first_received=now if row.first_received is None else row.first_received,
    )


def bury(connection: Connection, queue: str, dead: DeadLetters, now: float) -> int:
    """Move what was received in vain to the dead letters; how many that were."""
    is_dead = (queued.c.queue == queue) & (queued.c.visible <= now) & (queued.c.receives >= dead.receives)
    rows = connection.execute(select(queued.c.id, queued.c.system).where(is_dead).with_for_update()).all()
    for row in rows:
        system = orjson.dumps({**orjson.loads(row.system), **dead.note}).decode()
        change = queued.update().where(queued.c.id == row.id)
        connection.execute(change.values(queue=dead.queue, system=system, visible=now))
    return len(rows)


def remove(connection: Connection, queue: str, receipt: Receipt) -> None:
    """Nothing happens where the message is gone, or was received again since."""
    connection.execute(queued.delete().where(_held(queue, receipt)))


def hide(connection: Connection, queue: str, receipt: Receipt, until: float, now: float) -> bool:
    """Whether the message was still hidden for who shows the receipt."""
    change = queued.update().where(_held(queue, receipt), queued.c.visible > now)
    return connection.execute(change.values(visible=until)).rowcount > 0


def _held(queue: str, receipt: Receipt) -> Any:
    return and_(queued.c.id == receipt.id, queued.c.queue == queue, queued.c.receives == receipt.receives)


def drop(connection: Connection, queue: str, before: float | None = None) -> None:
    """Remove all messages, or those that were sent before a moment."""
    old = (queued.c.queue == queue) if before is None else (queued.c.queue == queue) & (queued.c.sent < before)
    connection.execute(queued.delete().where(old))


def next_visible(connection: Connection, queue: str) -> float | None:
    """When the first message is visible, or has been since; None where there is none."""
    found: float | None = connection.execute(
        select(func.min(queued.c.visible)).where(queued.c.queue == queue)
    ).scalar_one()
    return found


def reveal(connection: Connection, queue: str, now: float) -> None:
    """Have all that was received be seen again: whoever had received it is gone."""
    hidden = (queued.c.queue == queue) & (queued.c.receives > 0) & (queued.c.visible > now)
    connection.execute(queued.update().where(hidden).values(visible=now))


def backlog(connection: Connection, queue: str) -> tuple[int, float | None]:
    """How many messages there are, and when the oldest of them was sent."""
    found = select(func.count(), func.min(queued.c.sent)).where(queued.c.queue == queue)
    row = connection.execute(found).one()
    return row[0], row[1]


def count(connection: Connection, queue: str, now: float) -> Counts:
    visible, received = queued.c.visible <= now, queued.c.receives > 0
    sums = (
        func.count(case((visible, 1))),
        func.count(case((~visible & received, 1))),
        func.count(case((~visible & ~received, 1))),
    )
    return Counts(*connection.execute(select(*sums).where(queued.c.queue == queue)).one())
