"""Bringing a room's tables up to date.

    no version row        → create the tables from the room's metadata, write the version (no Alembic: 10 ms)
    the room's own head   → nothing to do (one SELECT)
    an older version      → Alembic runs the revisions in between

Alembic costs a third of a second to import, a third of the platform's start-up: it is imported only when
there is something for it to do. That both roads lead to the same schema is held by a test of each room
(`tests/database/schema.py`).
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    text,
)

from clary.database.transactions import reading

if TYPE_CHECKING:
    from alembic.config import Config


@dataclass(frozen=True)
class Room:
    """What a room keeps in the database."""

    package: str
    """`clary.records`; its folder `migrations` holds the Alembic revisions."""
    metadata: MetaData
    head: str
    """Revision id of the newest migration, which `metadata` is equal to."""

    @property
    def version_table(self) -> str:
        return f"{self.package.rpartition('.')[2]}_version"

    @property
    def migrations(self) -> Path:
        spec = find_spec(self.package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(self.package)
        return Path(spec.origin).parent / "migrations"


def migrate(engine: Engine, room: Room) -> None:
    """Create or upgrade the room's tables. Safe to call from several processes at once."""
    with reading(engine) as connection:
        if _version(connection, room) == room.head:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":  # SQLite has one writer at a time anyhow
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('clary migrations'))"))
        version = _version(connection, room)
        if version is None:
            _create(connection, room)
        elif version != room.head:
            upgrade(connection, room)


def upgrade(connection: Connection, room: Room) -> None:
    """Run every Alembic revision that the database lacks. A database newer than the code is refused by
    Alembic."""
    from alembic import command

    config = alembic_config(room)
    config.attributes["connection"] = connection
    config.attributes["version_table"] = room.version_table
    command.upgrade(config, "head")


def alembic_config(room: Room) -> "Config":
    from alembic.config import Config

    config = Config()
    for option, path in (
        ("script_location", Path(__file__).parent / "environment"),
        ("version_locations", room.migrations),
    ):
        config.set_main_option(option, str(path).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _create(connection: Connection, room: Room) -> None:
    room.metadata.create_all(connection)
    versions = _version_table(room)
    versions.create(connection)
    connection.execute(versions.insert().values(version_num=room.head))


def _version(connection: Connection, room: Room) -> str | None:
    if not inspect(connection).has_table(room.version_table):
        return None
    version: str | None = connection.execute(_version_table(room).select()).scalar_one_or_none()
    return version


def _version_table(room: Room) -> Table:
    """As Alembic makes it."""
    name = room.version_table
    key = PrimaryKeyConstraint("version_num", name=f"{name}_pkc")
    return Table(name, MetaData(), Column("version_num", String(32), nullable=False), key)
