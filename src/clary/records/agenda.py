"""What the supervisor has to look after, without the documents: live records, and timers that fall due."""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Engine, select, tuple_, union_all

from clary.database import reading, writing
from clary.records.record import KINDS, Kind
from clary.records.tables import records

AT_ONCE = 500
"""Ids that one statement asks for: databases know a limit of its parameters."""


class Place(NamedTuple):
    """Behind which record a page begins."""

    modified: float
    id: str


class LivePage(NamedTuple):
    ids: list[str]
    last: Place | None
    """Where the next page begins; None where there is none."""


class Timer(NamedTuple):
    wake_at: float
    id: str
    kind: str


class Agenda:
    """Safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def live_ids(self, kind: Kind, after: Place | None, limit: int) -> LivePage:
        """Records of all accounts and regions that a reconciler must look after, those changed last first."""
        if not kind.live:
            return LivePage([], None)
        column = records.c
        # One walk along the index for each status: SQLite would sort all of several at once.
        walks = []
        for status in sorted(kind.live):
            walk = select(column.modified, column.id).where(column.kind == kind.name, column.status == status)
            if after is not None:
                walk = walk.where(tuple_(column.modified, column.id) < tuple_(*after))
            walk = walk.order_by(column.modified.desc(), column.id.desc()).limit(limit)
            walks.append(select(walk.subquery()))
        merged = union_all(*walks).subquery()
        statement = select(merged).order_by(merged.c.modified.desc(), merged.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(statement).all()
        last = Place(rows[-1].modified, rows[-1].id) if len(rows) == limit else None
        return LivePage([row.id for row in rows], last)

    def due(self, until: float, after: Timer | None, limit: int) -> list[Timer]:
        """Timers that go off until then (epoch seconds), in order, from the first behind `after` on."""
        column = records.c
        statement = select(column.wake_at, column.id, column.kind).where(column.wake_at <= until)
        if after is not None:
            statement = statement.where(tuple_(column.wake_at, column.id) > tuple_(after.wake_at, after.id))
        with reading(self._engine) as connection:
            rows = connection.execute(statement.order_by(column.wake_at, column.id).limit(limit))
            return [Timer(row.wake_at, row.id, row.kind) for row in rows]

    def settle(self, record_id: str, wake_at: float) -> None:
        """Take a timer away that went off and led to a step, unless it was set anew."""
        same = (records.c.id == record_id) & (records.c.wake_at == wake_at)
        with writing(self._engine) as connection:
            connection.execute(records.update().where(same).values(wake_at=None))

    def live_kinds(self, record_ids: Iterable[str]) -> dict[str, str]:
        """The kinds of those among these records that are live, by id."""
        column = records.c
        ids = sorted(set(record_ids))
        found: dict[str, str] = {}
        with reading(self._engine) as connection:
            for first in range(0, len(ids), AT_ONCE):
                named = column.id.in_(ids[first : first + AT_ONCE])
                for row in connection.execute(select(column.id, column.kind, column.status).where(named)):
                    if row.kind in KINDS and row.status in KINDS[row.kind].live:
                        found[row.id] = row.kind
        return found

    def with_live_children(self, record_ids: Iterable[str]) -> set[str]:
        """Those of these records that have a live child."""
        column = records.c
        ids = sorted(set(record_ids))
        found: set[str] = set()
        with reading(self._engine) as connection:
            for first in range(0, len(ids), AT_ONCE):
                named = column.parent.in_(ids[first : first + AT_ONCE])
                for row in connection.execute(select(column.parent, column.kind, column.status).where(named)):
                    if row.kind in KINDS and row.status in KINDS[row.kind].live:
                        found.add(row.parent)
        return found

    def answers(self) -> None:
        """Raises what the database driver raises where the database is away."""
        with reading(self._engine) as connection:
            connection.exec_driver_sql("SELECT 1")
