"""The database under many threads, and what it looks like from outside."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Column, Engine, Integer, MetaData, Table, func, select

from clary.database import open_database, reading

metadata = MetaData()
numbers = Table("numbers", metadata, Column("number", Integer, primary_key=True))


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'state' / 'clary.db'}")
    metadata.create_all(engine)
    return engine


def _count(engine: Engine) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(numbers)).scalar_one()


def test_only_the_owner_can_read_any_of_its_files(engine: Engine) -> None:
    files = list(Path(str(engine.url.database)).parent.iterdir())
    assert {file.suffix for file in files} == {".db", ".db-shm", ".db-wal"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_sixty_four_threads_write_without_a_locked_database(engine: Engine) -> None:
    def write(number: int) -> None:
        with engine.begin() as connection:
            # Reads first: without BEGIN IMMEDIATE this is where SQLite says "database is locked".
            connection.execute(select(func.max(numbers.c.number))).scalar()
            connection.execute(numbers.insert().values(number=number))

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(write, range(500)))
    assert _count(engine) == 500


def test_two_engines_on_one_file_take_turns(engine: Engine) -> None:
    other = open_database(str(engine.url))

    def write(number: int) -> None:
        with (engine, other)[number % 2].begin() as connection:
            connection.execute(numbers.insert().values(number=number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(100)))
    assert _count(engine) == 100


def test_a_reader_waits_for_no_writer_and_sees_the_last_commit(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(numbers.insert().values(number=1))
        assert _count(engine) == 0
    assert _count(engine) == 1


def test_a_failed_write_leaves_nothing_and_passes_the_turn_on(engine: Engine) -> None:
    def fail() -> None:
        with engine.begin() as connection:
            connection.execute(numbers.insert().values(number=1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    done = threading.Event()

    def write() -> None:
        with engine.begin() as connection:
            connection.execute(numbers.insert().values(number=2))
        done.set()

    threading.Thread(target=write, daemon=True).start()
    assert done.wait(10)
    assert _count(engine) == 1


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="must be a file"):
        open_database("sqlite://")
