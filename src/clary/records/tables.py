"""The tables of this room.

Names compare by code point on every database (SQLite's own order), so that a listing reads alike on all.
Every time is epoch seconds, but for log events, whose times are whole milliseconds as in their API: their
order must survive the way to a client and back.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
)

from clary.database import Room

metadata = MetaData()

HEAD = "0005"
ROOM = Room("clary.records", metadata, HEAD)

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column of type INTEGER
Name = String(1024).with_variant(String(1024, collation="C"), "postgresql")

records = Table(
    "records",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", Name, nullable=False),
    Column("arn", Text, nullable=False),
    Column("status", String(64), nullable=False),
    Column("secondary", String(64), nullable=False),
    Column("document", Text, nullable=False),
    Column("created", Double, nullable=False),
    Column("modified", Double, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parent", String(32)),  # no foreign key: SQLite cannot add one without rebuilding the table
    Column("wake_at", Double),
    # The listings: each ends in the sort key, so that a page is one short walk along an index. `name` rides
    # along for NameContains, which then reads no row that it does not return.
    Index("records_by_name", "kind", "account", "region", "name", unique=True),
    Index("records_by_creation", "kind", "account", "region", "created", "id", "name"),
    Index("records_by_modification", "kind", "account", "region", "modified", "id", "name"),
    Index("records_by_status", "kind", "account", "region", "status", "created", "id", "name"),
    Index("records_by_arn", "arn"),
    # What the supervisor looks after, over all accounts and regions.
    Index("records_by_activity", "kind", "status", "modified", "id"),
)


def _index_some(name: str, *columns: str, having: str) -> None:
    """An index of those records that have a value in a column. Its condition goes to a dialect when tables are made:
    to name PostgreSQL's here would import it, which is a twentieth of the platform's start."""
    index = Index(name, *(records.c[column] for column in columns))

    @event.listens_for(records, "before_create")
    def limit(_table: Table, connection: Connection, **_options: Any) -> None:
        index.dialect_options[connection.dialect.name]["where"] = records.c[having].isnot(None)


_index_some("records_by_parent", "parent", "kind", "status", "created", "id", having="parent")
_index_some("records_by_timer", "wake_at", "id", "kind", having="wake_at")

tags = Table(
    "tags",
    metadata,
    Column("record", ForeignKey("records.id", ondelete="CASCADE"), primary_key=True),
    Column("key", String(128), primary_key=True),
    Column("value", String(256), nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Serial, primary_key=True),  # in the order of passage; `at` may be earlier than it was known
    Column("record", ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Column("at", Double, nullable=False),
    Column("status", String(64), nullable=False),
    Column("secondary", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Index("events_by_record", "record", "id"),
)

log_groups = Table(
    "log_groups",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("name", Name, nullable=False),
    Column("created", Double, nullable=False),
    Column("retention_days", Integer),  # null keeps events for ever
    Column("tags", Text, nullable=False),  # a JSON object
    Column("kms_key", String(256)),
    Index("log_groups_by_name", "account", "region", "name", unique=True),
)

log_streams = Table(
    "log_streams",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("group", ForeignKey("log_groups.id", ondelete="CASCADE"), nullable=False),
    Column("name", Name, nullable=False),
    Column("created", Double, nullable=False),
    Column("first_at", BigInteger, nullable=False),  # 0 before the first event
    Column("last_at", BigInteger, nullable=False),
    Column("last_ingested", BigInteger, nullable=False),
    Column("source_offset", BigInteger, nullable=False),  # how far the file that it is filled from was read
    Index("log_streams_by_name", "group", "name", unique=True),
    Index("log_streams_by_age", "group", "last_at", "name"),
)

log_events = Table(
    "log_events",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("stream", ForeignKey("log_streams.id", ondelete="CASCADE"), nullable=False),
    Column("group", BigInteger, nullable=False),  # of the stream: a search of a group is one walk along an index
    Column("at", BigInteger, nullable=False),
    Column("ingested", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Index("log_events_by_stream", "stream", "at", "id"),
    Index("log_events_by_group", "group", "at", "id"),
)

metric_series = Table(
    "metric_series",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("key", String(32), nullable=False),  # of namespace, name and dimensions together
    Column("namespace", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("dimensions", Text, nullable=False),  # a JSON object
    Index("metric_series_by_key", "account", "region", "key", unique=True),
    Index("metric_series_by_name", "account", "region", "namespace", "name"),
)

metric_samples = Table(
    "metric_samples",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("series", ForeignKey("metric_series.id"), nullable=False),
    Column("at", Double, nullable=False),
    Column("count", Double, nullable=False),
    Column("sum", Double, nullable=False),
    Column("minimum", Double, nullable=False),
    Column("maximum", Double, nullable=False),
    Column("unit", String(20), nullable=False),
    Column("step", BigInteger),  # of a program's own counting
    Index("metric_samples_by_time", "series", "at"),
)

# The index of Search: what each record says, member by member. `clary.records.search` tells how it is kept.

Value = Text().with_variant(Text(collation="C"), "postgresql")

search_queue = Table(
    "search_queue",
    metadata,
    # A row for each change, never one for each record: whoever empties the queue deletes the rows that it read,
    # and none that was added meanwhile.
    Column("id", Serial, primary_key=True),
    Column("record", String(32), nullable=False),
)

search_kinds = Table(
    "search_kinds",
    metadata,
    Column("kind", String(64), primary_key=True),
    Column("revision", String(32), nullable=False),  # of the declaration that its records were last queued for
)

search_fields = Table(
    "search_fields",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("account", String(12), nullable=False),
    Column("region", String(32), nullable=False),
    Column("path", Name, nullable=False),
    Index("search_fields_by_path", "kind", "account", "region", "path", unique=True),
)

search_entities = Table(
    "search_entities",
    metadata,
    Column("id", Serial, primary_key=True),  # names a record in a few bytes: it is in every row of the index twice
    Column("record", ForeignKey("records.id", ondelete="CASCADE"), nullable=False),
    Index("search_entities_by_record", "record", unique=True),
)

search_texts = Table(
    "search_texts",
    metadata,
    Column("entity", ForeignKey("search_entities.id", ondelete="CASCADE"), primary_key=True),
    Column("field", Integer, primary_key=True),
    Column("element", Integer, primary_key=True),  # position in the outermost list that the value lies in
    Column("value", Value, primary_key=True),
    Index("search_texts_by_value", "field", "value", "entity", "element"),
    sqlite_with_rowid=False,
)

search_numbers = Table(
    "search_numbers",
    metadata,
    Column("entity", ForeignKey("search_entities.id", ondelete="CASCADE"), primary_key=True),
    Column("field", Integer, primary_key=True),
    Column("element", Integer, primary_key=True),
    Column("value", Double, primary_key=True),
    Index("search_numbers_by_value", "field", "value", "entity", "element"),
    sqlite_with_rowid=False,
)
