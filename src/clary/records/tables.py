"""The tables of this room.

Names compare by code point on every database (SQLite's own order), so that a listing reads alike on all.
Every time is epoch seconds.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from clary.database import Room

metadata = MetaData()

HEAD = "0001"
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
    # The listings: each ends in the sort key, so that a page is one short walk along an index. `name` rides
    # along for NameContains, which then reads no row that it does not return.
    Index("records_by_name", "kind", "account", "region", "name", unique=True),
    Index("records_by_creation", "kind", "account", "region", "created", "id", "name"),
    Index("records_by_modification", "kind", "account", "region", "modified", "id", "name"),
    # Status before account: recovery asks for every live record of a kind, whoever's it is.
    Index("records_by_status", "kind", "status", "account", "region", "created", "id", "name"),
    Index("records_by_arn", "arn"),
)

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
