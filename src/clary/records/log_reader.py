"""Reading log events in order of time, a page at a time, in both directions.

    Position (forward, behind an event) ──▶ read_events ──▶ page ──▶ Position behind its last event, before its first

Events with one time are in the order in which they came in.
"""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select, tuple_

from clary.records.tables import log_events, log_streams

PAGE_BYTES = 1 << 20
"""As much text as a page of AWS's holds; its first event is given whatever its size."""

_LAST = 2**62


class LogEvent(NamedTuple):
    id: int
    stream: str
    at: int
    """Milliseconds since the epoch, as is `ingested`."""
    ingested: int
    text: str


@dataclass(frozen=True, slots=True)
class Position:
    """A place between events, and which way to read on from there: the events of that page lie beyond it."""

    forward: bool
    at: int
    id: int


HEAD = Position(True, -1, 0)
TAIL = Position(False, _LAST, 0)


@dataclass(frozen=True, slots=True)
class Window:
    """Milliseconds since the epoch; `end` is exclusive."""

    start: int = 0
    end: int = _LAST


def read_events(
    connection: Connection, where: ColumnElement[bool], window: Window, position: Position, limit: int
) -> list[LogEvent]:
    """At most `limit` events that lie beyond `position`, the nearest to it, in order of time."""
    column = log_events.c
    keys, last = tuple_(column.at, column.id), tuple_(position.at, position.id)
    statement = (
        select(column.id, log_streams.c.name, column.at, column.ingested, column.text)
        .join(log_streams, column.stream == log_streams.c.id)
        .where(where, column.at >= window.start, column.at < window.end)
        .where(keys > last if position.forward else keys < last)
        .order_by(*((column.at, column.id) if position.forward else (column.at.desc(), column.id.desc())))
        .limit(limit)
    )
    events: list[LogEvent] = []
    size = 0
    for row in connection.execute(statement):
        size += len(row.text.encode())
        if events and size > PAGE_BYTES:
            break
        events.append(LogEvent(row.id, row.name, row.at, row.ingested, row.text))
    return events if position.forward else events[::-1]
