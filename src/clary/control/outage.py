"""Waiting for a database that is away: nobody is stepped meanwhile, and the log says so once.

a step or a look fails in passing ─▶ suspect ─▶ does the database answer? ─ no ─▶ ask again, ever more seldom
                                                                         └ yes ─▶ over: go on
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

from clary.control.trouble import passes

log = logging.getLogger(__name__)

SHORTEST_PAUSE = 0.1
LONGEST_PAUSE = 5.0
LOUD_AGAIN = 60.0
"""Seconds between two reports of failures that pass while the database answers."""

P = ParamSpec("P")
T = TypeVar("T")


class Outage:
    """Of the event loop's thread alone. `over` is called whenever a suspicion has ended."""

    def __init__(self, answers: Callable[[], None], threads: Executor, over: Callable[[], None]) -> None:
        self._answers = answers
        self._threads = threads
        self._over = over
        self._probe: asyncio.Task[None] | None = None
        self._quiet_until = 0.0

    @property
    def suspected(self) -> bool:
        return self._probe is not None

    def suspect(self, error: BaseException) -> None:
        """Something failed in a way that passes; find out whether that is the database's absence."""
        if self._probe is None:
            self._probe = asyncio.get_running_loop().create_task(self._wait_out(_line(error)))

    async def ask(self, look: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `look` returns on a thread, tried until it does."""
        pause = SHORTEST_PAUSE
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._threads, lambda: look(*args, **kwargs))
            except Exception as error:
                if passes(error):
                    self.suspect(error)
                else:
                    log.exception("the supervisor could not look at the records and will try again")
            while self._probe is not None:
                await asyncio.wait([self._probe])
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    async def close(self) -> None:
        if self._probe is not None:
            self._probe.cancel()
            await asyncio.wait([self._probe])

    async def _wait_out(self, reason: str) -> None:
        loop = asyncio.get_running_loop()
        pause, away = SHORTEST_PAUSE, False
        while True:
            try:
                await loop.run_in_executor(self._threads, self._answers)
                break
            except Exception as error:
                if not away:
                    log.warning("the database is away, and so records wait: %s", _line(error))
                away = True
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        if away:
            log.warning("the database is back")
        elif loop.time() >= self._quiet_until:
            self._quiet_until = loop.time() + LOUD_AGAIN
            log.warning("steps fail for now and are tried again: %s", reason)
        self._probe = None
        self._over()


def _line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
