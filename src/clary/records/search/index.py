"""The index of Search as the house holds it."""

import logging
import threading
import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine, func, select, text
from sqlalchemy.exc import OperationalError

from clary.database import reading, writing
from clary.records.errors import Behind
from clary.records.record import Kind, Scope
from clary.records.search.fields import Fields, realm_of
from clary.records.search.fold import fold
from clary.records.search.page import Results, Search, find
from clary.records.search.queue import queue_declared
from clary.records.tables import search_queue

log = logging.getLogger(__name__)

BATCH = 100
"""Entries folded in one transaction: writers wait no longer than that takes."""
PAUSE = 1.0
"""Seconds between two looks at the queue while nobody searches. What changes often meanwhile is indexed once."""
LONG_PAUSE = 10.0
"""Seconds after a failure, which is most likely the database's."""
PATIENCE = 20.0
"""Seconds that a search waits for records that were there before it."""
MOST_SUGGESTIONS = 100


class SearchIndex:
    """Safe to use from many threads. The tables are those of `Records`, which makes them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._folding = threading.Lock()
        self._declared = False

    def search(self, search: Search) -> Results:
        """Of the records as they were when it was called, or later. Raises `InvalidToken` and `Behind`."""
        self._catch_up(PATIENCE)
        with reading(self._engine) as connection:
            return find(connection, search)

    def suggest(self, kind: Kind, scope: Scope, prefixes: Sequence[str]) -> list[str]:
        """Paths that records of the kind have and that begin with one of these, in order. Raises `Behind`."""
        self._catch_up(PATIENCE)
        with reading(self._engine) as connection:
            return Fields(connection, realm_of(kind.name, scope)).suggest(prefixes, MOST_SUGGESTIONS)

    def keep(self) -> None:
        """Fold the queue for ever: for a thread of its own, so that a search finds little to do. Of failures in a row
        the first is logged, without its traceback where the database is away."""
        failed = False
        while True:
            try:
                self._catch_up(float("inf"))
                failed = False
                time.sleep(PAUSE)
            except Exception as error:
                if not failed:
                    away = isinstance(error, OperationalError)
                    log.warning("the index of Search is not up to date and will be tried again", exc_info=not away)
                failed = True
                time.sleep(LONG_PAUSE)

    def _catch_up(self, patience: float) -> None:
        """Index what is in the queue now. What is added meanwhile may wait: a busy platform never empties it."""
        deadline = time.monotonic() + patience
        self._queue_declared()
        waiting = self._waiting()
        while waiting > 0:
            if time.monotonic() > deadline:
                raise Behind(f"{waiting} changes of records are still to be indexed for Search")
            folded = self._fold()
            waiting = waiting - folded if folded else 0

    def _fold(self) -> int:
        with self._folding, writing(self._engine) as connection:
            _one_at_a_time(connection)
            return fold(connection, BATCH)

    def _queue_declared(self) -> None:
        if not self._declared:
            with writing(self._engine) as connection:
                _one_at_a_time(connection)
                queue_declared(connection)
            self._declared = True

    def _waiting(self) -> int:
        with reading(self._engine) as connection:
            count: int = connection.execute(select(func.count()).select_from(search_queue)).scalar_one()
        return count


def _one_at_a_time(connection: Connection) -> None:
    """Among the platforms on one database; SQLite has one writer anyhow."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('clary search'))"))
