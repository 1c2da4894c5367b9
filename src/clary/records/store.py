"""Records: the resources of the API, each a document with a status.

    handler      create ─▶ get ─▶ Record ─▶ update | transition | delete
    reconciler   load ─▶ (acts) ─▶ update | transition
    supervisor   agenda.live_ids, agenda.due ─▶ step;   on_wake ◀── children's passages, timers

A `Record` is a value: what was true when it was loaded. Every change is guarded by its version, so that of
two who loaded the same record one changes it and the other is told `Stale`, and nothing is overwritten
unseen.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, select
from sqlalchemy.exc import IntegrityError

from clary.database import afterwards, migrate, reading, writing
from clary.records.agenda import Agenda
from clary.records.errors import AlreadyExists, NotFound
from clary.records.family import check_parent, count_children, kind_of, list_children, part_from_children
from clary.records.gate import enter, pass_gate
from clary.records.query import Page, Query, page_statement, token_after
from clary.records.record import Event, Kind, Record, Scope, State
from clary.records.rows import kept_timer, now, stale, to_record, to_row, write_guarded
from clary.records.search.queue import note
from clary.records.tables import ROOM, events, records
from clary.records.tags import drop_tags, put_tags, read_tags

PAGE = 100
"""Documents that are read at once."""

Listener = Callable[[str, str, float | None], None]
"""`(kind, record id, wake_at)`: step the record now (None), at that time, or no longer by its timer (`NEVER`)."""


class Records:
    """Safe to use from many threads. Every change is durable when the method returns."""

    def __init__(self, engine: Engine) -> None:
        migrate(engine, ROOM)
        self._engine = engine
        self._listener: Listener = lambda _kind, _record, _at: None
        self.agenda = Agenda(engine)

    def on_wake(self, listener: Listener) -> None:
        """Tell `listener` from now on, once it is durable, of what wakes records. From the thread that wrote it."""
        self._listener = listener

    def together(self) -> AbstractContextManager[Connection]:
        """What this thread writes within, here, of logs and of metrics, is one transaction. Keep it short: no other
        may write meanwhile."""
        return writing(self._engine)

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
        parent: str | None = None,
        wake_at: float | None = None,
    ) -> Record:
        """A new record in its first state, with the event of that. Raises `AlreadyExists`, `TooManyTags`, and
        `NotFound` where there is no such parent."""
        at = now()
        record = Record(_new_id(), kind.name, scope, name, arn, state, document, at, at, 1, parent, kept_timer(wake_at))
        try:
            with writing(self._engine) as connection:
                check_parent(connection, parent)
                connection.execute(records.insert().values(to_row(record)))
                enter(connection, record, Event(at, state, message))
                put_tags(connection, record.id, tags or {})
                note(connection, record)
                self._set_timer(record, wake_at)
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

    def update(self, record: Record, document: dict[str, Any], *, wake_at: float | None = None) -> Record:
        """Replace the document, leaving the status. Raises `Stale`.

        `wake_at` (epoch seconds) sets the record's timer, `NEVER` takes it away, None leaves it as it is.
        """
        changed = replace(record, document=document, modified=now(), version=record.version + 1)
        with writing(self._engine) as connection:
            changed = write_guarded(connection, changed, wake_at)
            note(connection, changed)
            self._set_timer(changed, wake_at)
        return changed

    def transition(
        self,
        record: Record,
        state: State,
        *,
        document: dict[str, Any] | None = None,
        message: str = "",
        at: float | None = None,
        wake_at: float | None = None,
    ) -> Record:
        """Bring the record into `state`, and its document with it; wakes its parent. `at` is when that happened,
        where it became known later; `wake_at` as for `update`. Raises `IllegalTransition` and `Stale`."""
        if document is not None:
            record = replace(record, document=document)
        with writing(self._engine) as connection:
            event = Event(now() if at is None else at, state, message)
            passed = pass_gate(connection, record, event, wake_at)
            note(connection, passed)
            self._set_timer(passed, wake_at)
            self._wake_parent(connection, passed)
        return passed

    def delete(self, record: Record) -> None:
        """Remove it with its tags and events; its name is free again. Wakes its parent; its own children stay and
        have none. Raises `Stale`, and `HasChildren` while some of them are live."""
        with writing(self._engine) as connection:
            current = (records.c.id == record.id) & (records.c.version == record.version)
            if connection.execute(records.delete().where(current)).rowcount == 0:
                raise stale(record)
            part_from_children(connection, record)
            self._wake_parent(connection, record)

    def events(self, record: Record) -> Sequence[Event]:
        """Every state that it was in, in order."""
        statement = select(events).where(events.c.record == record.id).order_by(events.c.id)
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        return [Event(row.at, State(row.status, row.secondary), row.message) for row in rows]

    def remark(self, record: Record, message: str) -> None:
        """Replace the message of the state that the record is in. It has no version: the last writer wins."""
        last = select(func.max(events.c.id)).where(events.c.record == record.id).scalar_subquery()
        same_state = events.c.secondary == record.state.secondary
        changed = (events.c.id == last) & same_state & (events.c.message != message)
        with writing(self._engine) as connection:
            connection.execute(events.update().where(changed).values(message=message))

    def live(self, kind: Kind) -> Iterator[Record]:
        """Every record, of all accounts and regions, that a reconciler must look after."""
        after = None
        while True:
            page = self.agenda.live_ids(kind, after, PAGE)
            with reading(self._engine) as connection:
                rows = connection.execute(select(records).where(records.c.id.in_(page.ids))).all()
            yield from map(to_record, rows)
            if page.last is None:
                return
            after = page.last

    def children(self, parent: Record, kind: Kind, *statuses: str) -> Iterator[Record]:
        """The records of a kind whose parent this is, in the order of their creation, read as they are asked for;
        of these statuses or of any. `list` has them a page at a time."""
        return list_children(self._engine, parent.id, kind.name, statuses)

    def count_children(self, parent: Record, kind: Kind) -> dict[str, int]:
        """How many of a kind there are, by status."""
        with reading(self._engine) as connection:
            return count_children(connection, parent.id, kind.name)

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
        with writing(self._engine) as connection:
            put_tags(connection, record.id, new)
            note(connection, record)

    def remove_tags(self, record: Record, keys: Iterable[str]) -> None:
        """Keys that are not there are passed over."""
        with writing(self._engine) as connection:
            drop_tags(connection, record.id, keys)
            note(connection, record)

    def _set_timer(self, record: Record, wake_at: float | None) -> None:
        if wake_at is not None:
            afterwards(lambda: self._listener(record.kind, record.id, wake_at))

    def _wake_parent(self, connection: Connection, child: Record) -> None:
        kind = kind_of(connection, child.parent)
        if child.parent is not None and kind is not None:
            parent = child.parent
            afterwards(lambda: self._listener(kind, parent, None))

    def _one(self, *where: ColumnElement[bool]) -> Record | None:
        with reading(self._engine) as connection:
            row = connection.execute(select(records).where(*where)).first()
        return None if row is None else to_record(row)


def _new_id() -> str:
    """Unique, and grows with time: of two records of one millisecond the later is listed later."""
    return f"{time.time_ns() // 1000:014x}{secrets.token_hex(4)}"
