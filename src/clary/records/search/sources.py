"""Where a search can start: the rows of the index that one filter has, of which every answer must be one."""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, select

from clary.records.search.clauses import flat, positive, rows
from clary.records.search.expression import AnyOf, Contain, Equal, Expression, Present, Together, Within
from clary.records.search.fields import Fields


@dataclass(frozen=True)
class Source:
    """Statements that select entities: together, all that may fulfil an expression."""

    entities: tuple[Select[tuple[int]], ...]
    count: int
    """Rows of them, or the limit that it was counted to."""


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
            entities = tuple(select(found.table.c.entity).where(found.where) for found in rows(fields, of))
            return Source(entities, sum(_count(connection, some, limit) for some in entities))
        case AnyOf(parts):
            return _sum(connection, fields, parts, limit)
        case Together(_, _, parts):
            tests = [_source(connection, fields, test, limit) for test in positive(parts)]
            return min((test for test in tests if test), key=lambda test: test.count, default=None)
    return None


def _sum(connection: Connection, fields: Fields, parts: tuple[Expression, ...], limit: int) -> Source | None:
    entities: list[Select[tuple[int]]] = []
    count = 0
    for part in parts:
        source = rarest(connection, fields, part, limit - count)
        if source is None:
            return None
        entities += source.entities
        count += source.count
    return Source(tuple(entities), count)


def _count(connection: Connection, entities: Select[tuple[int]], limit: int) -> int:
    some = entities.limit(limit).subquery()
    count: int = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return count
