"""Which records are to be indexed: those that changed, and all of a kind whose declaration did."""

from sqlalchemy import Connection, delete, insert, select

from clary.records.record import Record
from clary.records.search.searchable import SEARCHABLE
from clary.records.tables import records, search_kinds, search_queue

_ENTER = insert(search_queue).inline()
"""Made once, and asks for no number back: every change of a record waits for it."""


def note(connection: Connection, record: Record) -> None:
    """Within the transaction that changes the record."""
    if record.kind in SEARCHABLE:
        connection.execute(_ENTER, {"record": record.id})


def waiting(connection: Connection, limit: int) -> dict[int, str]:
    """Entries of the queue, the oldest first, with their records."""
    statement = select(search_queue.c.id, search_queue.c.record).order_by(search_queue.c.id).limit(limit)
    return {row.id: row.record for row in connection.execute(statement)}


def done(connection: Connection, entries: dict[int, str]) -> None:
    connection.execute(delete(search_queue).where(search_queue.c.id.in_(list(entries))))


def queue_declared(connection: Connection) -> None:
    """Queue every record of each kind that was not searchable before, or otherwise."""
    known = {row.kind: row.revision for row in connection.execute(select(search_kinds))}
    for name, declared in SEARCHABLE.items():
        if known.get(name) == declared.fingerprint:
            continue
        of_kind = select(records.c.id).where(records.c.kind == name)
        connection.execute(insert(search_queue).from_select(["record"], of_kind))
        connection.execute(delete(search_kinds).where(search_kinds.c.kind == name))
        connection.execute(insert(search_kinds).values(kind=name, revision=declared.fingerprint))
