"""Finding the records that may fulfil an expression, in order, the cheaper way.

*Gather*: take the rarest filter's records, keep those that fulfil the rest, sort them. Costs as many looks as the
filter has records. *Walk*: go along the order and keep those that fulfil the expression until a page is full.
Costs few looks where many records do. Where the rarest filter has few records there is nothing to weigh; else
the walk begins, and goes over to gathering as soon as it can be foretold to take longer.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, FromClause, Row, Select, func, select

from clary.records.search.attributes import MODIFIED
from clary.records.search.clauses import At, clause, exact
from clary.records.search.expression import Expression
from clary.records.search.fields import Fields
from clary.records.search.order import MISSING, NUMBERS, TABLES, TEXTS, Lane, Order, Position, arranged, first, phases
from clary.records.search.sources import FEW, Source, rarest
from clary.records.tables import search_numbers, search_texts

FIRST_STRETCH = 200
LONGEST_STRETCH = 12_800
GROWTH = 4
"""Few lengths, because each is a statement of its own."""


class Candidates:
    """`wanted` is how many will be asked for; more can be."""

    def __init__(
        self,
        connection: Connection,
        fields: Fields,
        of: Expression,
        order: Order,
        after: Position | None,
        wanted: int,
    ) -> None:
        self.total: int | None = None
        """How many there are on all pages, where that came to be known exactly."""
        self._connection = connection
        self._fields = fields
        self._of = of
        self._order = order
        self._after = after
        self._wanted = wanted
        self._walked = 0
        self._met = 0

    def __iter__(self) -> Iterator[Position]:
        source = rarest(self._connection, self._fields, self._of, FEW)
        if source is not None:
            yield from self._gather(source)
            return
        for phase in phases(self._order):
            if self._after is not None and phase < self._after.phase:
                continue
            lane = Lane(self._fields, self._order, phase)
            if lane.is_empty or (phase == MISSING and self._all_have_it()):
                continue
            yield from self._walk(lane)
            if self._gathered:
                return

    _gathered = False

    def _walk(self, lane: Lane) -> Iterator[Position]:
        length = FIRST_STRETCH
        while True:
            for row in self._connection.execute(self._fulfilling(lane, length)).all():
                self._met += 1
                yield Position(lane.phase, row.value, row.entity)
            last = self._connection.execute(lane.stretch(self._after, length).offset(length - 1)).first()
            if last is None:
                return
            self._after = Position(lane.phase, last.value, last.entity)
            self._walked += length
            ahead = self._ahead()
            source = rarest(self._connection, self._fields, self._of, ahead)
            if source is not None:
                self._gathered = True
                yield from self._gather(source)
                return
            if length < ahead:
                length = min(length * GROWTH, LONGEST_STRETCH)

    def _fulfilling(self, lane: Lane, length: int) -> Select[Any]:
        """Of the next so many rows of the walk."""
        rows = lane.stretch(self._after, length).subquery()
        fulfils = lane.belongs(rows.c.entity, rows.c.value, rows.c.element) & clause(
            self._fields, self._of, At(rows.c.entity)
        )
        keys = (rows.c.value, rows.c.entity)
        ordered = (key.desc() if self._order.descending else key for key in keys)
        return select(*keys).where(fulfils).order_by(*ordered)

    def _ahead(self) -> int:
        """Records that the walk is likely to go on for."""
        missing = max(self._wanted - self._met, 1)
        return int(missing * self._walked / max(self._met, 0.5))

    def _gather(self, source: Source) -> Iterator[Position]:
        found: dict[int, Position] = {}
        if source.count:
            for row in self._connection.execute(self._gathering(source)):
                position = self._position(row)
                known = found.get(row.entity)
                found[row.entity] = position if known is None else first(known, position, self._order)
        if exact(self._of):
            self.total = len(found)
        yield from arranged(found.values(), self._order, self._after)

    def _gathering(self, source: Source) -> Select[Any]:
        """Rows that `_position` reads: several of one entity where it has several values to sort by."""
        entities = source.entities()
        entity = entities.c.entity
        joined: FromClause = entities
        values = {}
        for name, table, path in (
            ("number", search_numbers, self._order.path),
            ("text", search_texts, self._order.path),
            ("modified", search_numbers, MODIFIED),
        ):
            own = table.alias()
            of_path = (own.c.entity == entity) & own.c.field.in_(self._fields.find(path))
            joined = joined.outerjoin(own, of_path)
            values[name] = own.c.value.label(name)
        fulfils = clause(self._fields, self._of, At(entity))
        return select(entity, *values.values()).select_from(joined).where(fulfils)

    def _position(self, row: Row[Any]) -> Position:
        for phase, value in ((NUMBERS, row.number), (TEXTS, row.text)):
            if value is not None and phase in phases(self._order):
                return Position(phase, value, row.entity)
        return Position(MISSING, row.modified, row.entity)

    def _all_have_it(self) -> bool:
        """Whether no record is without a value to sort by. Counting is a hundred times quicker than looking."""
        if self._order.many:
            return False
        kept = TABLES[TEXTS if TEXTS in phases(self._order) else NUMBERS]
        here, everywhere = (self._fields.find(path) for path in (self._order.path, MODIFIED))
        with_it = select(func.count()).select_from(kept).where(kept.c.field.in_(here))
        there_are = select(func.count()).select_from(search_numbers).where(search_numbers.c.field.in_(everywhere))
        count = self._connection.execute(select(with_it.scalar_subquery() == there_are.scalar_subquery()))
        return bool(count.scalar_one())
