"""What is to be delivered to somebody outside, within a transaction of the caller's."""

from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select

from clary.messages.tables import outbox


class Parcel(NamedTuple):
    id: int
    content: dict[str, Any]
    posted: float
    tries: int
    """That have failed."""


def post(connection: Connection, recipient: str, content: dict[str, Any], now: float) -> None:
    row = {"recipient": recipient, "content": orjson.dumps(content).decode(), "posted": now, "due": now, "tries": 0}
    connection.execute(outbox.insert().values(row))


def due(connection: Connection, recipient: str, now: float, most: int) -> list[Parcel]:
    is_due = (outbox.c.recipient == recipient) & (outbox.c.due <= now)
    rows = connection.execute(select(outbox).where(is_due).order_by(outbox.c.due, outbox.c.id).limit(most)).all()
    return [Parcel(row.id, orjson.loads(row.content), row.posted, row.tries) for row in rows]


def next_due(connection: Connection, recipient: str) -> float | None:
    found: float | None = connection.execute(
        select(func.min(outbox.c.due)).where(outbox.c.recipient == recipient)
    ).scalar_one()
    return found


def settle(connection: Connection, parcel: Parcel) -> None:
    """It was taken, or is given up."""
    connection.execute(outbox.delete().where(outbox.c.id == parcel.id))


def put_off(connection: Connection, parcel: Parcel, until: float) -> None:
    """A try has failed."""
    change = outbox.update().where(outbox.c.id == parcel.id)
    connection.execute(change.values(due=until, tries=parcel.tries + 1))


def forget(connection: Connection, recipient: str) -> None:
    connection.execute(outbox.delete().where(outbox.c.recipient == recipient))
