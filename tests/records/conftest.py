"""One database a test, on SQLite; on PostgreSQL too for the tests of `test_postgres.py`."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from clary.database import open_database
from clary.records.store import Records


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path / 'clary.db'}")


@pytest.fixture
def records(engine: Engine) -> Records:
    return Records(engine)
