"""The group writer: order, isolation, and that a refusal harms nobody else."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, text

from clary.database import open_database, reading
from clary.objects.writer import GroupWriter


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = open_database(f"sqlite:///{tmp_path / 'numbers.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE numbers (number INTEGER)"))
    return engine


@pytest.fixture
def writer(engine: Engine) -> Iterator[GroupWriter]:
    writer = GroupWriter(engine)
    yield writer
    writer.close()


def add(number: int) -> object:
    def change(connection: Connection) -> int:
        connection.execute(text("INSERT INTO numbers VALUES (:number)"), {"number": number})
        return number

    return change


def numbers(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        return list(connection.execute(text("SELECT number FROM numbers ORDER BY rowid")).scalars())


class Gate:
    """A change that holds the writer until it is let go, so that others gather behind it."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> None:
        self.reached.set()
        assert self.open.wait(10)


def test_changes_that_waited_together_are_all_done_in_order(writer: GroupWriter, engine: Engine) -> None:
    gate = Gate()
    holding = writer.submit(gate)
    assert gate.reached.wait(10)
    results = [writer.submit(add(number)) for number in range(300)]
    gate.open.set()
    assert [result.result(10) for result in results] == list(range(300))
    assert holding.result(10) is None
    assert numbers(engine) == list(range(300))


def test_a_refused_change_is_undone_alone(writer: GroupWriter, engine: Engine) -> None:
    def half(connection: Connection) -> None:
        connection.execute(text("INSERT INTO numbers VALUES (-1)"))
        raise ValueError("refused")

    gate = Gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    before, refused, after = writer.submit(add(1)), writer.submit(half), writer.submit(add(2))
    gate.open.set()
    assert (before.result(10), after.result(10)) == (1, 2)
    with pytest.raises(ValueError, match="refused"):
        refused.result(10)
    assert numbers(engine) == [1, 2]


def test_a_change_that_was_cancelled_in_time_is_not_done(writer: GroupWriter, engine: Engine) -> None:
    gate = Gate()
    writer.submit(gate)
    assert gate.reached.wait(10)
    cancelled, kept = writer.submit(add(1)), writer.submit(add(2))
    assert cancelled.cancel()
    gate.open.set()
    assert kept.result(10) == 2
    assert numbers(engine) == [2]


def test_closing_finishes_what_was_submitted(engine: Engine) -> None:
    writer = GroupWriter(engine)
    results = [writer.submit(add(number)) for number in range(20)]
    writer.close()
    assert all(result.done() for result in results)
    assert numbers(engine) == list(range(20))
