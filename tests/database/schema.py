"""For every room: its Alembic revisions must lead to the schema that its code is written against."""

from pathlib import Path
from typing import Any

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from clary.database import Room, migrate, open_database
from clary.database.migrate import alembic_config, upgrade


def assert_migrations_match(room: Room, directory: Path) -> None:
    """The head that the code names is Alembic's, and both roads of `migrate` end in equal tables."""
    assert ScriptDirectory.from_config(alembic_config(room)).get_current_head() == room.head
    created = open_database(f"sqlite:///{directory / 'created.db'}")
    migrate(created, room)
    upgraded = open_database(f"sqlite:///{directory / 'upgraded.db'}")
    with upgraded.begin() as connection:
        upgrade(connection, room)
    assert _schema(created) == _schema(upgraded)


def _schema(engine: Engine) -> dict[str, Any]:
    inspector = inspect(engine)
    return {
        table: {
            "columns": [{**column, "type": repr(column["type"])} for column in inspector.get_columns(table)],
            "key": inspector.get_pk_constraint(table),
            "foreign keys": inspector.get_foreign_keys(table),
            "indexes": sorted(map(_plain, inspector.get_indexes(table)), key=lambda index: str(index["name"])),
            "unique": inspector.get_unique_constraints(table),
        }
        for table in inspector.get_table_names()
    }


def _plain(index: Any) -> dict[str, Any]:
    """The condition of a partial index is a clause, which is equal to none but itself."""
    options = {name: str(value) for name, value in index.get("dialect_options", {}).items()}
    return {**index, "dialect_options": options}
