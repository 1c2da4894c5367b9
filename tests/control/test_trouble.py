"""Failures that pass are told from Clary's own mistakes by what really raises them."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from clary.control.trouble import passes
from clary.database import connect, open_database


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    monkeypatch.setattr(connect, "LONGEST_WAIT", 0.05)
    engine = open_database(f"sqlite:///{tmp_path / 'clary.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER UNIQUE, padding TEXT)"))
    return engine


def failure(engine: Engine, *statements: str) -> Exception:
    with pytest.raises(Exception) as caught, engine.begin() as connection:  # noqa: PT011, PT012
        for statement in statements:
            connection.execute(text(statement))
    return caught.value


def test_a_database_that_another_process_has_locked_passes(engine: Engine) -> None:
    other = sqlite3.connect(str(engine.url.database))
    other.execute("BEGIN IMMEDIATE")
    error = failure(engine, "INSERT INTO numbers VALUES (1, '')")
    assert "database is locked" in str(error)
    assert passes(error)
    other.rollback()


def test_a_long_queue_of_writers_passes(engine: Engine) -> None:
    with engine.begin():
        assert passes(failure(engine, "INSERT INTO numbers VALUES (1, '')"))


def test_a_full_database_passes(engine: Engine) -> None:
    error = failure(engine, "PRAGMA max_page_count=4", "INSERT INTO numbers VALUES (1, hex(randomblob(100000)))")
    assert "disk is full" in str(error)
    assert passes(error)


def test_a_full_disk_passes() -> None:
    with pytest.raises(OSError, match="No space left") as caught, open("/dev/full", "w", buffering=1) as full:
        full.write("a line\n")
    assert passes(caught.value)


def test_what_is_wrong_in_itself_does_not_pass(engine: Engine) -> None:
    assert not passes(failure(engine, "SELECT nothing FROM numbers"))
    assert not passes(failure(engine, "INSERT INTO numbers VALUES (1, ''), (1, '')"))
    assert not passes(FileNotFoundError(2, "No such file"))
    assert not passes(KeyError("name"))
