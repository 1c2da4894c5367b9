"""The tables of this room. `queue` and `recipient` are ids of records, or made of them; times are epoch seconds."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, MetaData, String, Table, Text

from clary.database import Room

metadata = MetaData()

HEAD = "0001"
ROOM = Room("clary.messages", metadata, HEAD)

Serial = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a column of type INTEGER

queued = Table(
    "messages_queued",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("queue", String(64), nullable=False),
    Column("message", String(36), nullable=False),
    Column("body", Text, nullable=False),
    Column("attributes", Text, nullable=False),  # a JSON object
    Column("system", Text, nullable=False),  # a JSON object
    Column("sent", Double, nullable=False),
    Column("visible", Double, nullable=False),
    Column("receives", Integer, nullable=False),
    Column("first_received", Double),
    Index("messages_queued_by_visibility", "queue", "visible", "id"),
    Index("messages_queued_by_age", "queue", "sent"),
    sqlite_autoincrement=True,  # the id of one that was removed is no receipt for another
)

outbox = Table(
    "messages_outbox",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("recipient", String(64), nullable=False),
    Column("content", Text, nullable=False),  # a JSON object
    Column("posted", Double, nullable=False),
    Column("due", Double, nullable=False),
    Column("tries", Integer, nullable=False),
    Index("messages_outbox_by_due", "recipient", "due", "id"),
)
