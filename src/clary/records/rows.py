"""Between a `Record` and its row."""

import math
import time
from typing import Any

import orjson
from sqlalchemy import Connection, Row

from clary.records.errors import Stale
from clary.records.record import Record, Scope, State
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
        **_changing(record),
    }


def write_guarded(connection: Connection, record: Record) -> None:
    """Write what may change of a record whose `version` was raised by one; `Stale` where that was not its
    turn."""
    result = connection.execute(
        records.update()
        .where(records.c.id == record.id, records.c.version == record.version - 1)
        .values(_changing(record))
    )
    if result.rowcount == 0:
        raise stale(record)


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
