"""Log groups, their streams and the events in them.

    an instance's log file ──append(…, source_offset)──┐
    PutLogEvents ──put─────────────────────────────────┴─▶ log_rows.py ─▶ log_reader.py ──▶ GetLogEvents …

How far a file was read is kept in the transaction that keeps its lines: who tails it again after a crash
neither loses nor repeats any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Engine, Row, func, select, tuple_
from sqlalchemy.exc import IntegrityError

from clary.database import migrate, reading, writing
from clary.records.errors import AlreadyExists, NotFound
from clary.records.log_reader import LogEvent, Position, Window, read_events
from clary.records.log_rows import (
    Lines,
    begins_with,
    ensure_group,
    ensure_stream,
    expire,
    find_group,
    find_stream,
    insert_events,
    insert_group,
    insert_stream,
)
from clary.records.record import Scope
from clary.records.tables import ROOM, log_events, log_groups, log_streams


@dataclass(frozen=True, slots=True)
class LogGroup:
    name: str
    created: float
    retention_days: int | None
    """None keeps events for ever."""
    tags: dict[str, str]
    kms_key: str | None
    """Kept, and not used: what is stored is not encrypted beyond what the disk does."""


@dataclass(frozen=True, slots=True)
class LogStream:
    name: str
    created: float
    first_at: int
    """Milliseconds since the epoch, as the two below; 0 where there is no event yet."""
    last_at: int
    last_ingested: int


class LogStore:
    """Safe to use from many threads. A group or stream that is not there raises `NotFound` with which of
    them."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, ROOM)
        self._engine = engine

    def append(self, scope: Scope, group: str, stream: str, events: Lines, source_offset: int | None = None) -> None:
        """Add events to a stream in the order given, making it and its group where they are not there.
        `source_offset` is how far their source was read with them."""
        with writing(self._engine) as connection:
            group_row = ensure_group(connection, scope, group)
            row = ensure_stream(connection, group_row.id, stream)
            insert_events(connection, row, events, in_order=True)
            if source_offset is not None:
                update = log_streams.update().where(log_streams.c.id == row.id)
                connection.execute(update.values(source_offset=source_offset))
            expire(connection, group_row)

    def put(self, scope: Scope, group: str, stream: str, events: Lines) -> None:
        """Add events to a stream that is there, to be read in the order of their times."""
        with writing(self._engine) as connection:
            group_row = find_group(connection, scope, group)
            row = find_stream(connection, group_row.id, stream, to_write=True)
            insert_events(connection, row, events, in_order=False)
            expire(connection, group_row)

    def source_offset(self, scope: Scope, group: str, stream: str) -> int:
        """How far the source of a stream was read; 0 where nothing was."""
        with reading(self._engine) as connection:
            try:
                return int(find_stream(connection, find_group(connection, scope, group).id, stream).source_offset)
            except NotFound:
                return 0

    def read(
        self, scope: Scope, group: str, stream: str, window: Window, position: Position, limit: int
    ) -> list[LogEvent]:
        """Events of one stream in order of time: at most `limit` beyond `position`, the nearest to it."""
        with reading(self._engine) as connection:
            row = find_stream(connection, find_group(connection, scope, group).id, stream)
            return read_events(connection, log_events.c.stream == row.id, window, position, limit)

    def search(
        self,
        scope: Scope,
        group: str,
        window: Window,
        position: Position,
        limit: int,
        *,
        streams: Sequence[str] = (),
        prefix: str = "",
    ) -> list[LogEvent]:
        """Like `read`, over the streams of a group that are named, or whose names begin with `prefix`."""
        with reading(self._engine) as connection:
            group_id = find_group(connection, scope, group).id
            where = log_events.c.group == group_id
            if streams:
                named = (log_streams.c.group == group_id, log_streams.c.name.in_(streams))
                where = log_events.c.stream.in_(select(log_streams.c.id).where(*named))
            elif prefix:
                where &= begins_with(log_streams.c.name, prefix)
            return read_events(connection, where, window, position, limit)

    def create_group(
        self, scope: Scope, name: str, tags: Mapping[str, str] | None = None, kms_key: str | None = None
    ) -> None:
        """Raises `AlreadyExists`."""
        try:
            with writing(self._engine) as connection:
                insert_group(connection, scope, name, tags or {}, kms_key)
        except IntegrityError:
            raise AlreadyExists("log group") from None

    def create_stream(self, scope: Scope, group: str, name: str) -> None:
        """Raises `AlreadyExists`."""
        try:
            with writing(self._engine) as connection:
                insert_stream(connection, find_group(connection, scope, group).id, name)
        except IntegrityError:
            raise AlreadyExists("log stream") from None

    def group(self, scope: Scope, name: str) -> LogGroup:
        with reading(self._engine) as connection:
            return _to_group(find_group(connection, scope, name))

    def groups(
        self, scope: Scope, *, prefix: str = "", contains: str = "", after: str = "", limit: int
    ) -> list[LogGroup]:
        """In the order of their names, from the first after `after` on."""
        column = log_groups.c
        statement = select(log_groups).where(
            column.account == scope.account,
            column.region == scope.region,
            column.name > after,
            begins_with(column.name, prefix),
        )
        if contains:
            statement = statement.where(func.replace(column.name, contains, "") != column.name)
        with reading(self._engine) as connection:
            return [_to_group(row) for row in connection.execute(statement.order_by(column.name).limit(limit))]

    def streams(
        self,
        scope: Scope,
        group: str,
        *,
        prefix: str = "",
        by_time: bool = False,
        descending: bool = False,
        after: LogStream | None = None,
        limit: int,
    ) -> list[LogStream]:
        """In the order of their names, or of the times of their last events, from the first after `after`
        on."""
        column = log_streams.c
        keys = [column.last_at, column.name] if by_time else [column.name]
        statement = select(log_streams).where(begins_with(column.name, prefix))
        if after is not None:
            last = tuple_(*([after.last_at, after.name] if by_time else [after.name]))
            statement = statement.where(tuple_(*keys) < last if descending else tuple_(*keys) > last)
        statement = statement.order_by(*(key.desc() if descending else key for key in keys)).limit(limit)
        with reading(self._engine) as connection:
            group_id = find_group(connection, scope, group).id
            return [_to_stream(row) for row in connection.execute(statement.where(column.group == group_id))]

    def delete_group(self, scope: Scope, name: str) -> None:
        with writing(self._engine) as connection:
            group = find_group(connection, scope, name)
            connection.execute(log_groups.delete().where(log_groups.c.id == group.id))

    def delete_stream(self, scope: Scope, group: str, name: str) -> None:
        with writing(self._engine) as connection:
            stream = find_stream(connection, find_group(connection, scope, group).id, name)
            connection.execute(log_streams.delete().where(log_streams.c.id == stream.id))

    def set_retention(self, scope: Scope, name: str, days: int | None) -> None:
        """Older events are deleted now and whenever some are added."""
        with writing(self._engine) as connection:
            group = find_group(connection, scope, name)
            connection.execute(log_groups.update().where(log_groups.c.id == group.id).values(retention_days=days))
            expire(connection, find_group(connection, scope, name))

    def set_kms_key(self, scope: Scope, name: str, key: str | None) -> None:
        with writing(self._engine) as connection:
            group = find_group(connection, scope, name)
            connection.execute(log_groups.update().where(log_groups.c.id == group.id).values(kms_key=key))

    def change_tags(self, scope: Scope, name: str, add: Mapping[str, str], remove: Sequence[str] = ()) -> None:
        with writing(self._engine) as connection:
            group = find_group(connection, scope, name)
            kept = {key: value for key, value in orjson.loads(group.tags).items() if key not in remove}
            tags = orjson.dumps({**kept, **add}).decode()
            connection.execute(log_groups.update().where(log_groups.c.id == group.id).values(tags=tags))


def _to_group(row: Row[Any]) -> LogGroup:
    return LogGroup(row.name, row.created, row.retention_days, orjson.loads(row.tags), row.kms_key)


def _to_stream(row: Row[Any]) -> LogStream:
    return LogStream(row.name, row.created, row.first_at, row.last_at, row.last_ingested)
