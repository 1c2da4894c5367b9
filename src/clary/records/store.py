"""Records: the resources of the API, each a document with a status.

    handler      create ─▶ get ─▶ Record ─▶ update | transition | delete
    reconciler   live ─▶ load ─▶ (acts) ─▶ update | transition

A `Record` is a value: what was true when it was loaded. Every change is guarded by its version, so that of
two who loaded the same record one changes it and the other is told `Stale`, and nothing is overwritten
unseen.
"""

import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Engine, select
from sqlalchemy.exc import IntegrityError

from clary.database import migrate, reading
from clary.records.errors import AlreadyExists, NotFound
from clary.records.gate import enter, pass_gate
from clary.records.query import Page, Query, page_statement, token_after
from clary.records.record import Event, Kind, Record, Scope, State
from clary.records.rows import now, stale, to_record, to_row, write_guarded
from clary.records.tables import ROOM, events, records
from clary.records.tags import drop_tags, put_tags, read_tags


class Records:
    """Safe to use from many threads. Every change is durable when the method returns."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, ROOM)
        self._engine = engine

    def create(
        self,
        kind: Kind,
        scope: Scope,
        name: str,
        arn: str,
        document: dict[str, Any],
        state: State,
        tags: Mapping[str, str] | None = None,
        message: str = "",
    ) -> Record:
        """A new record in its first state, with the event of that. Raises `AlreadyExists`, `TooManyTags`."""
        at = now()
        record = Record(_new_id(), kind.name, scope, name, arn, state, document, at, at, version=1)
        try:
            with self._engine.begin() as connection:
                connection.execute(records.insert().values(to_row(record)))
                enter(connection, record, Event(at, state, message))
                put_tags(connection, record.id, tags or {})
        except IntegrityError:
            raise AlreadyExists(f"{kind.name} {name}") from None
        return record

    def get(self, kind: Kind, scope: Scope, name: str) -> Record:
        """The record of that name. Raises `NotFound`."""
        record = self.find(kind, scope, name)
        if record is None:
            raise NotFound(f"{kind.name} {name}")
        return record

    def find(self, kind: Kind, scope: Scope, name: str) -> Record | None:
        """Like `get`, for one that need not be there."""
        column = records.c
        return self._one(
            column.kind == kind.name,
            column.account == scope.account,
            column.region == scope.region,
            column.name == name,
        )

    def load(self, record_id: str) -> Record:
        """The record as it is now. Raises `NotFound`."""
        record = self._one(records.c.id == record_id)
        if record is None:
            raise NotFound(record_id)
        return record

    def by_arn(self, arn: str) -> Record:
        """Raises `NotFound`."""
        record = self._one(records.c.arn == arn)
        if record is None:
            raise NotFound(arn)
        return record

    def update(self, record: Record, document: dict[str, Any]) -> Record:
        """Replace the document, leaving the status. Raises `Stale`."""
        changed = replace(record, document=document, modified=now(), version=record.version + 1)
        with self._engine.begin() as connection:
            write_guarded(connection, changed)
        return changed

    def transition(
        self,
        record: Record,
        state: State,
        *,
        document: dict[str, Any] | None = None,
        message: str = "",
        at: float | None = None,
    ) -> Record:
        """Bring the record into `state`, and its document with it. `at` is when that happened, where it
        became known later. Raises `IllegalTransition` and `Stale`."""
        if document is not None:
            record = replace(record, document=document)
        with self._engine.begin() as connection:
            return pass_gate(connection, record, Event(now() if at is None else at, state, message))

    def delete(self, record: Record) -> None:
        """Remove it with its tags and events; its name is free again. Raises `Stale`."""
        with self._engine.begin() as connection:
            current = (records.c.id == record.id) & (records.c.version == record.version)
            if connection.execute(records.delete().where(current)).rowcount == 0:
                raise stale(record)

    def events(self, record: Record) -> Sequence[Event]:
        """Every state that it was in, in order."""
        statement = select(events).where(events.c.record == record.id).order_by(events.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        return [Event(row.at, State(row.status, row.secondary), row.message) for row in rows]

    def live(self, kind: Kind) -> Sequence[Record]:
        """Every record, of all accounts and regions, that a reconciler must look after."""
        statement = select(records).where(records.c.kind == kind.name, records.c.status.in_(kind.live))
        with reading(self._engine) as connection:
            return [to_record(row) for row in connection.execute(statement)]

    def list(self, kind: Kind, scope: Scope, query: Query) -> Page:
        """One page. Raises `InvalidToken`."""
        with reading(self._engine) as connection:
            rows = connection.execute(page_statement(kind.name, scope, query)).all()
        page = rows[: query.max_results]
        more = len(rows) > query.max_results
        token = token_after(kind.name, scope, query, page[-1]) if more else ""
        return Page([to_record(row) for row in page], token)

    def tags(self, record: Record) -> dict[str, str]:
        """In the order of their keys."""
        with reading(self._engine) as connection:
            return read_tags(connection, record.id)

    def add_tags(self, record: Record, new: Mapping[str, str]) -> None:
        """Add tags; one whose key is there gets the new value. Raises `TooManyTags` and `NotFound`."""
        with self._engine.begin() as connection:
            put_tags(connection, record.id, new)

    def remove_tags(self, record: Record, keys: Iterable[str]) -> None:
        """Keys that are not there are passed over."""
        with self._engine.begin() as connection:
            drop_tags(connection, record.id, keys)

    def _one(self, *where: ColumnElement[bool]) -> Record | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(records).where(*where)).first()
        return None if row is None else to_record(row)


def _new_id() -> str:
    """Unique, and grows with time: of two records of one millisecond the later is listed later."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(4)}"
