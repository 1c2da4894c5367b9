"""Expressions in SQL, over the index.

The index holds the first characters of a text, so a condition on it can only be near the truth, from one side or
the other: `Nearness.MAYBE` holds of every record that fulfils the expression and seldom of another, `SURE` of none
that does not. A search asks for MAYBE and tests what it finds; under a Not the two change places.
"""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, and_, exists, false, func, not_, or_, true

from clary.records.search.attributes import LONGEST, fit
from clary.records.search.expression import AllOf, AnyOf, Contain, Equal, Expression, Not, Present, Together, Within
from clary.records.search.fields import Fields
from clary.records.search.functions import position
from clary.records.tables import search_numbers, search_texts

Test = Equal | Contain | Within | Present
"""What is asked of one value."""


class Nearness(Enum):
    MAYBE = "maybe"
    SURE = "sure"

    @property
    def other(self) -> "Nearness":
        return Nearness.SURE if self is Nearness.MAYBE else Nearness.MAYBE


class At(NamedTuple):
    """The record that a condition is of, and the element where it is of one."""

    entity: ColumnElement[int]
    element: ColumnElement[int] | None = None


class Rows(NamedTuple):
    """Rows of the index that pass a test."""

    table: FromClause
    where: ColumnElement[bool]


def clause(fields: Fields, of: Expression, at: At, near: Nearness = Nearness.MAYBE) -> ColumnElement[bool]:
    match of:
        case AllOf(parts):
            return and_(true(), *(clause(fields, part, at, near) for part in parts))
        case AnyOf(parts):
            return or_(false(), *(clause(fields, part, at, near) for part in parts))
        case Not(part):
            return not_(clause(fields, part, at, near.other))
        case Together():
            return _together(fields, of, at, near)
        case Equal() | Contain() | Within() | Present():
            return _there_are(_probes(fields, of, near), at)
    raise TypeError(of)


def rows(fields: Fields, test: Test) -> list[Rows]:
    """Of one table or both; none where there can be none. To be walked along the index by value."""
    return _rows(fields, test, Nearness.MAYBE, lambda value: value)


def _probes(fields: Fields, test: Test, near: Nearness) -> list[Rows]:
    """The same, to be looked up for one record."""
    return _rows(fields, test, near, within_record)


def within_record(value: ColumnElement[Any]) -> ColumnElement[Any]:
    """The value, put so that a range of it is looked for among the record's own rows: SQLite would walk the range among
    all records."""
    return func.coalesce(value, value)


def _rows(fields: Fields, test: Test, near: Nearness, put: Callable[[ColumnElement[Any]], Any]) -> list[Rows]:
    numbers = fields.find(test.path)
    held = {Within: "numbers", Present: getattr(test, "held", "both")}.get(type(test), "texts")
    found = []
    for name, table in (("texts", search_texts.alias()), ("numbers", search_numbers.alias())):
        if numbers and held in (name, "both"):
            field = table.c.field == numbers[0] if len(numbers) == 1 else table.c.field.in_(numbers)
            found.append(Rows(table, and_(field, _passes(table.c.value, test, near, put))))
    return found


def exact(of: Expression) -> bool:
    """Whether MAYBE and SURE are one."""
    match of:
        case AllOf(parts) | AnyOf(parts):
            return all(map(exact, parts))
        case Together(_, depth, parts):
            return depth == 1 and all(map(exact, parts))
        case Not(part):
            return exact(part)
        case Equal(_, values):
            return all(_is_whole(text) for text in values)
    return not isinstance(of, Contain)


def positive(parts: Iterable[Expression]) -> list[Test]:
    """Tests of which every one must be passed."""
    return [part for part in flat(parts) if isinstance(part, Equal | Contain | Within | Present)]


def flat(parts: Iterable[Expression]) -> list[Expression]:
    """Parts of parts, where all must hold."""
    found: list[Expression] = []
    for part in parts:
        found += flat(part.parts) if isinstance(part, AllOf) else [part]
    return found


def _passes(
    value: ColumnElement[Any], test: Test, near: Nearness, put: Callable[[ColumnElement[Any]], Any]
) -> ColumnElement[bool]:
    match test:
        case Equal(_, values):
            fitted = {fit(text) for text in values}
            if near is Nearness.SURE:
                fitted = set(filter(_is_whole, fitted))
            return value == fitted.pop() if len(fitted) == 1 else value.in_(sorted(fitted))
        case Contain(_, part):
            inside = position(value, fit(part)) > 0
            if near is Nearness.SURE:
                return inside if _is_whole(part) else false()
            return or_(inside, func.length(value) >= LONGEST)
        case Within():
            return _between(put(value), test)
        case Present():
            return true()


def _is_whole(text: str) -> bool:
    """Whether a text that the index holds as this one is this one."""
    return len(text) < LONGEST and "\ufffd" not in fit(text)


def _between(value: ColumnElement[Any], test: Within) -> ColumnElement[bool]:
    bounds = []
    if test.low is not None:
        bounds.append(value >= test.low if test.with_low else value > test.low)
    if test.high is not None:
        bounds.append(value <= test.high if test.with_high else value < test.high)
    return and_(true(), *bounds)


def _there_are(alternatives: list[Rows], at: At, *more: ColumnElement[bool]) -> ColumnElement[bool]:
    found = []
    for table, where in alternatives:
        of_element = [] if at.element is None else [table.c.element == at.element]
        found.append(exists().where(table.c.entity == at.entity, *of_element, where, *more))
    return or_(false(), *found)


def _together(fields: Fields, of: Together, at: At, near: Nearness) -> ColumnElement[bool]:
    tests = positive(of.parts)
    if of.depth != 1:
        # The index knows the position in the outermost list only.
        return false() if near is Nearness.SURE else and_(true(), *(clause(fields, test, at) for test in tests))
    first = tests[0] if tests else Present(f"{of.path}.")
    return or_(false(), *(_element(fields, of, first, found, at, near) for found in _probes(fields, first, near)))


def _element(fields: Fields, of: Together, first: Test, found: Rows, at: At, near: Nearness) -> ColumnElement[bool]:
    """There is an element that passes the first test and fulfils the rest."""
    here = At(found.table.c.entity, found.table.c.element)
    rest = [clause(fields, part, here, near) for part in flat(of.parts) if part is not first]
    return exists().where(found.table.c.entity == at.entity, found.where, *rest)
