"""The road of Alembic leads to the tables that the code is written against."""

from pathlib import Path

from alembic import command
from sqlalchemy import Engine, text

from clary.database.migrate import alembic_config, upgrade
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


def test_what_the_first_schema_held_is_kept(engine: Engine) -> None:
    config = alembic_config(ROOM)
    with engine.begin() as connection:
        config.attributes.update(connection=connection, version_table=ROOM.version_table)
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO records "
                "(id, kind, account, region, name, arn, status, secondary, document, created, modified, version) "
                "VALUES ('1', 'cat', :account, :region, 'tom', 'arn:tom', 'Resting', 'Asleep', '{}', 1.5, 2.5, 3)"
            ),
            HOME._asdict(),
        )
        connection.execute(text("INSERT INTO tags (record, key, value) VALUES ('1', 'colour', 'grey')"))
    records = Records(engine)
    tom = records.get(CAT, HOME, "tom")
    assert (tom.modified, tom.version, tom.parent, tom.wake_at) == (2.5, 3, None, None)
    assert records.tags(tom) == {"colour": "grey"}
    assert [record.id for record in records.live(CAT)] == [tom.id]
