from pathlib import Path

from clary.records.tables import ROOM
from tests.database.schema import assert_migrations_match


def test_the_migrations_lead_to_the_tables(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)
