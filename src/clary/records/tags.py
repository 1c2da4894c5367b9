"""The tags of a record, within a transaction of the caller's."""

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, func, select

from clary.records.errors import NotFound, TooManyTags
from clary.records.tables import records, tags

MOST_TAGS = 50
"""As many as AWS allows on one resource."""


def read_tags(connection: Connection, record_id: str) -> dict[str, str]:
    statement = select(tags.c.key, tags.c.value).where(tags.c.record == record_id).order_by(tags.c.key)
    return {row.key: row.value for row in connection.execute(statement)}


def put_tags(connection: Connection, record_id: str, new: Mapping[str, str]) -> None:
    """Raises `TooManyTags`, and `NotFound` where the record has gone."""
    if not new:
        return
    # Held to the end of the transaction, so that two who add at once cannot pass the limit together.
    row = select(records.c.id).where(records.c.id == record_id).with_for_update()
    if connection.execute(row).first() is None:
        raise NotFound(record_id)
    drop_tags(connection, record_id, new)
    connection.execute(tags.insert(), [{"record": record_id, "key": key, "value": value} for key, value in new.items()])
    count = select(func.count()).select_from(tags).where(tags.c.record == record_id)
    if connection.execute(count).scalar_one() > MOST_TAGS:
        raise TooManyTags(f"more than {MOST_TAGS} tags")


def drop_tags(connection: Connection, record_id: str, keys: Iterable[str]) -> None:
    connection.execute(tags.delete().where(tags.c.record == record_id, tags.c.key.in_(list(keys))))
