"""Folding the queue into the index: each record that waits is described and its attributes brought up to date."""

import logging
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Delete, Insert, Table, and_, bindparam, delete, insert, select

from clary.records.record import Record, Scope
from clary.records.rows import to_record
from clary.records.search.attributes import MOST, Attribute, attributes, fit, is_askable
from clary.records.search.fields import Fields, realm_of
from clary.records.search.queue import done, waiting
from clary.records.search.searchable import SEARCHABLE
from clary.records.tables import records, search_entities, search_numbers, search_texts, tags

log = logging.getLogger(__name__)

Key = tuple[int, int, int, Any]
"""Entity, field, element, value: a row of the index."""

TABLES: tuple[Table, Table] = (search_texts, search_numbers)


def fold(connection: Connection, limit: int) -> int:
    """Index the records of so many entries of the queue; returns how many entries there were. Only one at a time may
    do this."""
    entries = waiting(connection, limit)
    if entries:
        # In the order of their creation, so that their entities' numbers are, which settle what a sort leaves equal.
        waiting_records = select(records).where(records.c.id.in_(set(entries.values()))).order_by(records.c.id)
        rows = connection.execute(waiting_records)
        loaded = [to_record(row) for row in rows if row.kind in SEARCHABLE]
        _index(connection, loaded)
        done(connection, entries)
    return len(entries)


def _index(connection: Connection, loaded: list[Record]) -> None:
    labels = tags_of(connection, [record.id for record in loaded])
    entities = _entities(connection, [record.id for record in loaded])
    by_realm: dict[tuple[str, Scope], list[Record]] = defaultdict(list)
    for record in loaded:
        by_realm[record.kind, record.scope].append(record)
    wanted: dict[Table, set[Key]] = {table: set() for table in TABLES}
    for (kind, scope), some in by_realm.items():
        fields = Fields(connection, realm_of(kind, scope))
        _collect(wanted, fields, {entities[record.id]: (record, labels.get(record.id, {})) for record in some})
    for table, rows in wanted.items():
        _replace(connection, table, entities.values(), rows)


def _collect(
    wanted: dict[Table, set[Key]], fields: Fields, described: dict[int, tuple[Record, dict[str, str]]]
) -> None:
    found = {entity: _attributes(record, labels) for entity, (record, labels) in described.items()}
    numbers = fields.learn(attribute.path for some in found.values() for attribute in some)
    for entity, some in found.items():
        for path, place, value in some:
            table, kept = (search_texts, fit(value)) if isinstance(value, str) else (search_numbers, value)
            wanted[table].add((entity, numbers[path], place[0] if place else 0, kept))


def _attributes(record: Record, labels: dict[str, str]) -> list[Attribute]:
    """What the index can hold of a record; of one that cannot be described nothing, so that it stops no other."""
    try:
        found = attributes(SEARCHABLE[record.kind], record, labels)
    except Exception:
        log.exception("%s %s cannot be described, and will not be found by Search", record.kind, record.name)
        return []
    return [attribute for attribute in found[:MOST] if is_askable(attribute.path)]


def _replace(connection: Connection, table: Table, entities: Iterable[int], rows: set[Key]) -> None:
    """Bring the table's rows of the entities to `rows`, touching only those that differ."""
    rows_there = connection.execute(select(table).where(table.c.entity.in_(list(entities))))
    there: set[Key] = {(row.entity, row.field, row.element, row.value) for row in rows_there}
    this = and_(*(column == bindparam(column.name, type_=column.type) for column in table.c))
    _execute_each(connection, delete(table).where(this), there - rows)
    _execute_each(connection, insert(table), rows - there)


def _execute_each(connection: Connection, statement: Delete | Insert, rows: set[Key]) -> None:
    """In the order of the table. Past SQLAlchemy's handling of parameters, which takes longer than the database."""
    if not rows:
        return
    compiled = statement.compile(dialect=connection.dialect)
    parameters: Any = sorted(rows)
    if not compiled.positional:
        parameters = [dict(zip(compiled.params, row, strict=True)) for row in parameters]
    connection.exec_driver_sql(str(compiled), parameters)


def _entities(connection: Connection, ids: list[str]) -> dict[str, int]:
    known = _known_entities(connection, ids)
    new = [record for record in ids if record not in known]
    if new:
        connection.execute(insert(search_entities), [{"record": record} for record in new])
        known |= _known_entities(connection, new)
    return known


def _known_entities(connection: Connection, ids: list[str]) -> dict[str, int]:
    statement = select(search_entities.c.record, search_entities.c.id).where(search_entities.c.record.in_(ids))
    return {row.record: row.id for row in connection.execute(statement)}


def tags_of(connection: Connection, ids: list[str]) -> dict[str, dict[str, str]]:
    """Of each record that has some."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    statement = select(tags).where(tags.c.record.in_(ids)).order_by(tags.c.record, tags.c.key)
    for row in connection.execute(statement):
        found[row.record][row.key] = row.value
    return found
