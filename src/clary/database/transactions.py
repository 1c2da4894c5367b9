"""Transactions: looks, writes, and several writes in one.

with reading(engine) as connection:   a look, which waits for no writer
with writing(engine) as connection:   a write, whole or not at all
    └─ writing, reading (same thread)     part of it: seen, kept and lost together
       afterwards(act)                    done once all of it is durable, not at all where it was lost
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from sqlalchemy import Connection, Engine

READS = "clary_reads"
"""The option of a connection whose transaction only reads."""


class _Work(NamedTuple):
    engine: Engine
    connection: Connection
    acts: list[Callable[[], None]]


_under_way: ContextVar[_Work | None] = ContextVar("clary_work", default=None)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that only reads: one consistent view of the database, beside any writer. Within `writing`, a look
    at what was written so far."""
    work = _under_way.get()
    if work is not None and work.engine is engine:
        yield work.connection
        return
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            yield connection.execution_options(**{READS: True})
        else:
            yield connection.execution_options(isolation_level="REPEATABLE READ")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that writes. Within another it is a part that can fail on its own; who catches its error may go on
    with the rest. On SQLite the outermost holds the only writer's turn: do nothing in it but use the database."""
    work = _under_way.get()
    if work is not None and work.engine is engine:
        with work.connection.begin_nested():
            yield work.connection
        return
    acts: list[Callable[[], None]] = []
    with engine.begin() as connection:
        token = _under_way.set(_Work(engine, connection, acts))
        try:
            yield connection
        finally:
            _under_way.reset(token)
    for act in acts:
        act()


def afterwards(act: Callable[[], None]) -> None:
    """Once what this thread is writing is durable, call `act`, which must be quick and must not fail; at once where it
    writes nothing."""
    work = _under_way.get()
    if work is None:
        act()
    else:
        work.acts.append(act)
