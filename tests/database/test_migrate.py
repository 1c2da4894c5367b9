"""A room's way from no tables, or old ones, to the newest."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, inspect

from clary.database import Room, migrate, open_database

REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = {down}


def upgrade() -> None:
    {upgrade}
"""

attic = MetaData()
Table("boxes", attic, Column("id", Integer, primary_key=True), Column("label", String(8)))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A room of its own, whose second revision adds a column."""
    migrations = tmp_path / "attic" / "migrations"
    migrations.mkdir(parents=True)
    (tmp_path / "attic" / "__init__.py").touch()
    first = 'op.create_table("boxes", sa.Column("id", sa.Integer(), primary_key=True))'
    second = 'op.add_column("boxes", sa.Column("label", sa.String(8)))'
    (migrations / "r1.py").write_text(REVISION.format(revision="1", down=None, upgrade=first))
    (migrations / "r2.py").write_text(REVISION.format(revision="2", down='"1"', upgrade=second))
    monkeypatch.syspath_prepend(tmp_path)
    return "attic"


def test_an_old_database_is_brought_to_the_head_and_keeps_its_rows(package: str, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'clary.db'}")
    old = MetaData()
    boxes = Table("boxes", old, Column("id", Integer, primary_key=True))
    migrate(engine, Room(package, old, "1"))
    with engine.begin() as connection:
        connection.execute(boxes.insert().values(id=7))
    migrate(engine, Room(package, attic, "2"))
    assert [column["name"] for column in inspect(engine).get_columns("boxes")] == ["id", "label"]
    with engine.connect() as connection:
        assert connection.execute(attic.tables["boxes"].select()).all() == [(7, None)]


def test_a_database_newer_than_the_code_is_refused(package: str, tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'clary.db'}")
    migrate(engine, Room(package, attic, "3"))
    with pytest.raises(Exception, match="Can't locate revision identified by '3'"):
        migrate(engine, Room(package, attic, "2"))


def test_neither_a_first_nor_a_later_start_imports_alembic(tmp_path: Path) -> None:
    program = f"""
import sys
from sqlalchemy import MetaData
from clary.database import Room, migrate, open_database
engine = open_database("sqlite:///{tmp_path / "clary.db"}")
for _ in range(2):
    migrate(engine, Room("attic", MetaData(), "1"))
sys.exit("alembic" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
