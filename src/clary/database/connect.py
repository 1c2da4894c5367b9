"""Opening the database, and how its transactions begin.

SQLite, the default, has one writer at a time. Writers of this process queue for a lock, in place of
SQLite's own busy handler, which sleeps and retries and is neither quick nor fair among many threads; `BEGIN
IMMEDIATE` takes the write lock before the first read, so that no transaction finds halfway that it was
overtaken. Readers see the last commit (WAL) and wait for nobody.

Durability: a commit is flushed to the disk (`synchronous=FULL`) before it is acknowledged, so neither
`kill -9` nor a power cut loses what a client was told is done, as far as the disk keeps its promise.
"""

import os
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import TimeoutError as DatabaseTimeout

from clary.database.transactions import READS

LONGEST_WAIT = 20.0
"""Seconds that a writer queues, and then SQLite, before it gives up: both are over before a client's own patience is,
which is a minute in most SDKs."""

_HOLDS_TURN = "clary_holds_turn"


def open_database(url: str) -> Engine:
    """An engine for many threads. `sqlite:////path/to/file` is created, readable by its owner only, where
    it is not there; `postgresql://…` needs the `postgres` extra."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _open_sqlite(parsed)
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    return create_engine(parsed, pool_size=16, max_overflow=-1, pool_pre_ping=True)


def _open_sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise ValueError("the database must be a file: sqlite:////absolute/path")
    _create_private(Path(url.database))
    # Unbounded, because every thread of a worker pool may read at once; idle connections past 16 are closed.
    engine = create_engine(
        url, pool_size=16, max_overflow=-1, connect_args={"timeout": LONGEST_WAIT, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare)
    _take_turns(engine)
    return engine


def _create_private(path: Path) -> None:
    """SQLite gives its `-wal` and `-shm` files the mode of the database file."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))


def _prepare(connection: Any, _record: Any) -> None:
    # The driver's own idea of when a transaction begins is switched off: `_take_turns` says BEGIN.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _take_turns(engine: Engine) -> None:
    """Let writing transactions pass one by one; a turn ends when the connection is given back."""
    turn = threading.Lock()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(READS):
            connection.exec_driver_sql("BEGIN")
            return
        if not connection.info.get(_HOLDS_TURN):
            if not turn.acquire(timeout=LONGEST_WAIT):
                raise DatabaseTimeout(f"waited {LONGEST_WAIT:.0f} s for another writer of the database")
            connection.info[_HOLDS_TURN] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def checkin(_connection: Any, record: Any) -> None:
        if record.info.pop(_HOLDS_TURN, False):
            turn.release()
