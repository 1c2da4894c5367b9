"""The order of a search's results, and positions in it.

Results come in phases: those that have a number at the path, those that have a text there, and those that have
nothing there, by the time of their last change; each phase ascends or descends. Of several values in a list the
first in the order counts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, exists, literal_column, not_, select, true, tuple_

from clary.records.search.attributes import MODIFIED
from clary.records.search.clauses import within_record
from clary.records.search.expression import Held
from clary.records.search.fields import Fields
from clary.records.tables import search_numbers, search_texts

NUMBERS, TEXTS, MISSING = range(3)
TABLES = {NUMBERS: search_numbers, TEXTS: search_texts, MISSING: search_numbers}


@dataclass(frozen=True)
class Order:
    path: str = MODIFIED
    held: Held = "numbers"
    descending: bool = True
    many: bool = False
    """Whether a record may have several values there."""


BY_CHANGE = Order()
"""What changed last comes first."""


class Position(NamedTuple):
    """Where a record stands: its phase, the value that it is sorted by, its entity."""

    phase: int
    value: str | float
    entity: int


class Lane:
    """One phase of an order, as a walk along the index."""

    def __init__(self, fields: Fields, order: Order, phase: int) -> None:
        self.phase = phase
        self._order = order
        self._here = fields.find(order.path)
        self._path = fields.find(MODIFIED) if phase == MISSING else self._here

    @property
    def is_empty(self) -> bool:
        return not self._path

    def stretch(self, after: Position | None, length: int) -> Select[tuple[int, str | float, int]]:
        """The next so many rows of the walk."""
        table = TABLES[self.phase]
        keys = (table.c.value, table.c.entity)
        rows = select(*keys, table.c.element).where(table.c.field == self._path[0])
        if after is not None and after.phase == self.phase:
            last = tuple_(after.value, after.entity)
            rows = rows.where(tuple_(*keys) < last if self._order.descending else tuple_(*keys) > last)
        ordered = rows.order_by(*(key.desc() if self._order.descending else key for key in keys))
        # Written out: of a statement that it has prepared, PostgreSQL plans for a tenth of the table and reads a whole
        # filter to test a few rows.
        return ordered.limit(literal_column(str(length)))

    def belongs(
        self, entity: ColumnElement[int], value: ColumnElement[str | float], element: ColumnElement[int]
    ) -> ColumnElement[bool]:
        """Whether this row is where its record stands in the order."""
        conditions: list[ColumnElement[bool]] = [true()]
        if self.phase == TEXTS and self._order.held == "both":
            conditions.append(not_(self._has(NUMBERS, entity)))
        if self.phase == MISSING:
            conditions += [not_(self._has(phase, entity)) for phase in phases(self._order)[:-1] if self._here]
        elif self._order.many:
            other = TABLES[self.phase].alias()
            mine, others = tuple_(value, element), tuple_(within_record(other.c.value), other.c.element)
            before = others > mine if self._order.descending else others < mine
            own = (other.c.entity == entity) & (other.c.field == self._here[0])
            conditions.append(not_(exists().where(own, before)))
        return and_(*conditions)

    def _has(self, phase: int, entity: ColumnElement[int]) -> ColumnElement[bool]:
        table = TABLES[phase].alias()
        return exists().where(table.c.entity == entity, table.c.field == self._here[0])


def phases(order: Order) -> list[int]:
    if order.path == MODIFIED:
        return [NUMBERS]
    return {"numbers": [NUMBERS, MISSING], "texts": [TEXTS, MISSING], "both": [NUMBERS, TEXTS, MISSING]}[order.held]


def first(one: Position, other: Position, order: Order) -> Position:
    """Of two places of one record."""
    if one.phase != other.phase:
        return min(one, other)
    return max(one, other) if order.descending else min(one, other)


def arranged(positions: Iterable[Position], order: Order, after: Position | None) -> list[Position]:
    """In the order, those behind `after`."""
    found: list[Position] = []
    by_phase: dict[int, list[Position]] = {}
    for position in positions:
        by_phase.setdefault(position.phase, []).append(position)
    for phase in sorted(by_phase):
        if after is None or phase >= after.phase:
            found += sorted(by_phase[phase], key=itemgetter(1, 2), reverse=order.descending)
    if after is None:
        return found
    return [position for position in found if _is_behind(position, after, order)]


def _is_behind(position: Position, after: Position, order: Order) -> bool:
    if position.phase != after.phase:
        return position.phase > after.phase
    if order.descending:
        return position[1:] < after[1:]
    return position[1:] > after[1:]
