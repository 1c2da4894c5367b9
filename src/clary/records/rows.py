"""Between a `Record` and its row."""

import math
import time
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from clary.records.errors import Stale
from clary.records.record import NEVER, Record, Scope, State
from clary.records.tables import records


def now() -> float:
    """The time to the millisecond, as the API tells it: who filters by a time that was told finds what it
    meant."""
    return math.floor(time.time() * 1000) / 1000


def to_record(row: Row[Any]) -> Record:
    return Record(
        id=row.id,
        kind=row.kind,
        scope=Scope(row.account, row.region),
        name=row.name,
        arn=row.arn,
        state=State(row.status, row.secondary),
        document=orjson.loads(row.document),
        created=row.created,
        modified=row.modified,
        version=row.version,
        parent=row.parent,
        wake_at=row.wake_at,
    )


def to_row(record: Record) -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "account": record.scope.account,
        "region": record.scope.region,
        "name": record.name,
        "arn": record.arn,
        "created": record.created,
        "parent": record.parent,
        "wake_at": record.wake_at,
        **_changing(record),
    }


def write_guarded(connection: Connection, record: Record, wake_at: float | None) -> Record:
    """Write what may change of a record whose `version` was raised by one; `Stale` where that was not its
    turn. `wake_at` None leaves the timer as it is kept, which may be newer than the record."""
    values = _changing(record)
    if wake_at is not None:
        record = replace(record, wake_at=kept_timer(wake_at))
        values["wake_at"] = record.wake_at
    current = (records.c.id == record.id) & (records.c.version == record.version - 1)
    if connection.execute(records.update().where(current).values(values)).rowcount == 0:
        raise stale(record)
    return record


def kept_timer(wake_at: float | None) -> float | None:
    return None if wake_at == NEVER else wake_at


def stale(record: Record) -> Stale:
    return Stale(f"{record.kind} {record.name} was changed or deleted since it was loaded")


def _changing(record: Record) -> dict[str, Any]:
    return {
        "status": record.state.status,
        "secondary": record.state.secondary,
        "document": orjson.dumps(record.document).decode(),
        "modified": record.modified,
        "version": record.version,
    }
