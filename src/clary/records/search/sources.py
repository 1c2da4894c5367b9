"""Where a search can start: the records that one filter has, of which every answer must be one."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, Select, Subquery, func, select, union

from clary.records.search.clauses import flat, positive, rows
from clary.records.search.expression import AnyOf, Contain, Equal, Expression, Present, Together, Within
from clary.records.search.fields import Fields
from clary.records.tables import search_entities

FEW = 500
"""Records that are read at once where it is only asked how many there are."""


@dataclass(frozen=True)
class Source:
    """Entities, all that may fulfil an expression: those that were read, and those that statements select."""

    count: int = 0
    read: frozenset[int] = frozenset()
    unread: tuple[Select[tuple[int]], ...] = field(default=())

    def __add__(self, other: "Source") -> "Source":
        return Source(self.count + other.count, self.read | other.read, self.unread + other.unread)

    def entities(self) -> Subquery:
        """Each once, as `entity`."""
        of_read = select(search_entities.c.id.label("entity")).where(search_entities.c.id.in_(self.read))
        if not self.unread:
            return of_read.subquery()
        return union(of_read, *self.unread).subquery()


def rarest(connection: Connection, fields: Fields, of: Expression, limit: int) -> Source | None:
    """The source with the fewest rows; None where each has `limit` or more."""
    best: Source | None = None
    for part in flat((of,)):
        source = _source(connection, fields, part, limit)
        if source is not None and source.count < limit:
            best, limit = source, source.count
    return best


def _source(connection: Connection, fields: Fields, of: Expression, limit: int) -> Source | None:
    match of:
        case Equal() | Contain() | Within() | Present():
            found = Source()
            for some in rows(fields, of):
                found += _count(connection, select(some.table.c.entity).where(some.where), limit)
            return found
        case AnyOf(parts):
            return _sum(connection, fields, parts, limit)
        case Together(_, _, parts):
            tests = [_source(connection, fields, test, limit) for test in positive(parts)]
            return min((test for test in tests if test), key=lambda test: test.count, default=None)
    return None


def _sum(connection: Connection, fields: Fields, parts: tuple[Expression, ...], limit: int) -> Source | None:
    found = Source()
    for part in parts:
        source = rarest(connection, fields, part, limit - found.count)
        if source is None:
            return None
        found += source
    return found


def _count(connection: Connection, entities: Select[tuple[int]], limit: int) -> Source:
    some = entities.limit(limit)
    if limit <= FEW:
        read = [row.entity for row in connection.execute(some)]
        return Source(len(read), frozenset(read))
    count: int = connection.execute(select(func.count()).select_from(some.subquery())).scalar_one()
    return Source(count, unread=(entities,))
