"""The one SQL database of a platform, shared by the rooms that keep tables in it.

    open_database(url) ──▶ Engine ──┬─ with writing(engine) as connection:   a write, whole or not at all
                                    └─ with reading(engine) as connection:   a look, which waits for no writer

    migrate(engine, room) ──▶ the room's tables are as its code knows them

A room defines its tables in a `MetaData` of its own and keeps its Alembic revisions in its `migrations/`
folder (see `Room`). Rooms do not know each other's tables.
"""

from clary.database.connect import open_database
from clary.database.migrate import Room, migrate
from clary.database.transactions import afterwards, reading, writing

__all__ = ["Room", "afterwards", "migrate", "open_database", "reading", "writing"]
