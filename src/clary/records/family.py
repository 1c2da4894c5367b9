"""Parents and children, within a transaction of the store's.

A record may be part of the work of another: a tuning job's training jobs, a pipeline's steps. What follows from that:

- Each passage of a child through the gate, and its deletion, wakes the parent. That is told once it is durable; where
  a kill comes between, start-up steps the parent as it steps every live record, so the wake is not kept besides.
- Stopping a parent is a passage of the parent alone. Its reconciler, woken by it, stops the children by the same road
  as a user's Stop of each (`control/children.py`), and lets the parent end when none of them is live.
- A parent with live children cannot be deleted (`HasChildren`): a handler refuses, or passes to a state in which the
  reconciler stops them and deletes it once they have ended.
- Children outlive their parent: they then have none, as AWS keeps the training jobs of a deleted tuning job.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, Engine, func, select, tuple_

from clary.database import reading
from clary.records.errors import HasChildren, NotFound
from clary.records.record import KINDS, Record
from clary.records.rows import to_record
from clary.records.tables import records

PAGE = 100
"""Documents that are read at once."""


def check_parent(connection: Connection, parent: str | None) -> None:
    """Raises `NotFound`. One that is found stays to the end of the transaction."""
    if parent is None:
        return
    row = select(records.c.id).where(records.c.id == parent).with_for_update(read=True, key_share=True)
    if connection.execute(row).first() is None:
        raise NotFound(parent)


def kind_of(connection: Connection, record_id: str | None) -> str | None:
    """None where there is no such record."""
    if record_id is None:
        return None
    kind: str | None = connection.execute(select(records.c.kind).where(records.c.id == record_id)).scalar()
    return kind


def part_from_children(connection: Connection, parent: Record) -> None:
    """Leave the children of a deleted record without a parent. Raises `HasChildren` where one is live."""
    own = records.c.parent == parent.id
    for row in connection.execute(select(records.c.kind, records.c.status).where(own).distinct()):
        if row.status in KINDS[row.kind].live:
            raise HasChildren(f"{parent.kind} {parent.name} has a {row.kind} that is {row.status}")
    connection.execute(records.update().where(own).values(parent=None))


def list_children(engine: Engine, parent: str, kind: str, statuses: Sequence[str]) -> Iterator[Record]:
    column = records.c
    statement = select(records).where(column.parent == parent, column.kind == kind)
    if statuses:
        statement = statement.where(column.status.in_(statuses))
    statement = statement.order_by(column.created, column.id).limit(PAGE)
    last = (-1.0, "")
    while True:
        with reading(engine) as connection:
            rows = connection.execute(statement.where(tuple_(column.created, column.id) > tuple_(*last))).all()
        yield from map(to_record, rows)
        if len(rows) < PAGE:
            return
        last = (rows[-1].created, rows[-1].id)


def count_children(connection: Connection, parent: str, kind: str) -> dict[str, int]:
    """By status."""
    column = records.c
    statement = select(column.status, func.count().label("number")).where(column.parent == parent, column.kind == kind)
    return {row.status: row.number for row in connection.execute(statement.group_by(column.status))}
