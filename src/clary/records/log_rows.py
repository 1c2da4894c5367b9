"""Log groups, streams and events as rows, within a transaction of the store's."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Any

import orjson
from sqlalchemy import Connection, Row, func, select
from sqlalchemy.exc import IntegrityError

from clary.records.errors import NotFound
from clary.records.record import Scope
from clary.records.tables import log_events, log_groups, log_streams

Lines = Sequence[tuple[float, str]]
"""`(at, text)`: epoch seconds and what was printed."""

_DAY = 24 * 3600 * 1000


def find_group(connection: Connection, scope: Scope, name: str) -> Row[Any]:
    """Raises `NotFound`."""
    column = log_groups.c
    where = (column.account == scope.account, column.region == scope.region, column.name == name)
    row = connection.execute(select(log_groups).where(*where)).first()
    if row is None:
        raise NotFound("log group")
    return row


def find_stream(connection: Connection, group_id: int, name: str, *, to_write: bool = False) -> Row[Any]:
    """Raises `NotFound`. One found `to_write` is held to the end of the transaction."""
    statement = select(log_streams).where(log_streams.c.group == group_id, log_streams.c.name == name)
    row = connection.execute(statement.with_for_update() if to_write else statement).first()
    if row is None:
        raise NotFound("log stream")
    return row


def insert_group(
    connection: Connection, scope: Scope, name: str, tags: Mapping[str, str], kms_key: str | None = None
) -> None:
    connection.execute(
        log_groups.insert().values(
            account=scope.account,
            region=scope.region,
            name=name,
            created=time.time(),
            tags=orjson.dumps(dict(tags)).decode(),
            kms_key=kms_key,
        )
    )


def insert_stream(connection: Connection, group_id: int, name: str) -> None:
    empty = {"first_at": 0, "last_at": 0, "last_ingested": 0, "source_offset": 0}
    connection.execute(log_streams.insert().values(group=group_id, name=name, created=time.time(), **empty))


def ensure_group(connection: Connection, scope: Scope, name: str) -> Row[Any]:
    """The group, made where it is not there. Another may make it at the same moment: then it is theirs."""
    try:
        return find_group(connection, scope, name)
    except NotFound:
        with suppress(IntegrityError), connection.begin_nested():
            insert_group(connection, scope, name, {})
    return find_group(connection, scope, name)


def ensure_stream(connection: Connection, group_id: int, name: str) -> Row[Any]:
    """The stream, to be written to, made where it is not there, likewise."""
    try:
        return find_stream(connection, group_id, name, to_write=True)
    except NotFound:
        with suppress(IntegrityError), connection.begin_nested():
            insert_stream(connection, group_id, name)
    return find_stream(connection, group_id, name, to_write=True)


def insert_events(connection: Connection, stream: Row[Any], events: Lines, *, in_order: bool) -> None:
    """`in_order` events follow each other whatever their times say: a clock that was set back does not make a line
    appear before those that a reader has seen."""
    if not events:
        return
    times = [round(at * 1000) for at, _ in events]
    if in_order:
        times = [max(at, stream.last_at) for at in accumulate(times, max)]
    now = round(time.time() * 1000)
    of_all = {"stream": stream.id, "group": stream.group, "ingested": now}
    rows = [of_all | {"at": at, "text": _kept(text)} for at, (_, text) in zip(times, events, strict=True)]
    connection.execute(log_events.insert(), rows)
    first_at = min(times) if stream.first_at == 0 else min(stream.first_at, *times)
    changes = {"first_at": first_at, "last_at": max(stream.last_at, *times), "last_ingested": now}
    connection.execute(log_streams.update().where(log_streams.c.id == stream.id).values(changes))


def _kept(text: str) -> str:
    """The API knows no empty message, and a blank line is to stay one; PostgreSQL knows no NUL in a text."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") or " "


def expire(connection: Connection, group: Row[Any]) -> None:
    """Delete the events that are older than the group keeps them."""
    if group.retention_days is None:
        return
    oldest = round(time.time() * 1000) - group.retention_days * _DAY
    column = log_events.c
    connection.execute(log_events.delete().where(column.group == group.id, column.at < oldest))


def begins_with(column: Any, prefix: str) -> Any:
    """Whether a name begins so, letter for letter: LIKE ignores case on SQLite. The bound lets an index help."""
    return (func.substr(column, 1, len(prefix)) == prefix) & (column >= prefix)
