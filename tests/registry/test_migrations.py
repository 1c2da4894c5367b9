from pathlib import Path

from clary.registry.tables import ROOM
from tests.database.schema import assert_migrations_match


def test_migrations_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    assert_migrations_match(ROOM, tmp_path)
