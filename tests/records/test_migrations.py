"""The road of Alembic leads to the tables that the code is written against."""

from pathlib import Path

from sqlalchemy import Engine

from clary.database.migrate import upgrade
from clary.records.store import Records
from clary.records.tables import ROOM
from tests.database.schema import assert_migrations_match
from tests.records.kinds import CAT, HOME, add


def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)


def test_records_are_kept_in_what_the_migrations_made(engine: Engine) -> None:
    with engine.begin() as connection:
        upgrade(connection, ROOM)
    records = Records(engine)
    tom = add(records, "tom")
    records.add_tags(tom, {"colour": "grey"})
    assert records.get(CAT, HOME, "tom") == tom
