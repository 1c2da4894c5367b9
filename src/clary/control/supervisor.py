"""Keeps every live record moving: one task a record, one step at a time.

A *reconciler* knows one kind of resource. Its `step` loads the record, acts (asks the engine, moves files) and
applies what came of it through the gate; it may block and runs on a worker thread. The supervisor calls it
again when something woke the record (a handler, a hint of the engine) or when the delay that it asked for is
over. What must go on is read from the records at start-up, so that start-up is recovery.
"""

import asyncio
import logging
from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Protocol

from clary.records.errors import Stale
from clary.records.record import Kind
from clary.records.store import Records

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 30.0


class Reconciler(Protocol):
    kind: Kind

    def step(self, record_id: str) -> float | None:
        """Move the record on. Returns seconds until the next look without news, None when there is no more to do.

        Never called twice at once for one record. An exception is logged and the step tried again later, so a
        failure that is the user's must be turned into a status.
        """
        ...


class Supervisor:
    def __init__(self, records: Records, executor: Executor) -> None:
        self._records = records
        self._executor = executor
        self._reconcilers: dict[str, Reconciler] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: dict[str, asyncio.Event] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, reconcilers: Iterable[Reconciler]) -> None:
        """Take up every live record. Call on the event loop."""
        self._loop = asyncio.get_running_loop()
        self._reconcilers = {reconciler.kind.name: reconciler for reconciler in reconcilers}
        for reconciler in self._reconcilers.values():
            for record in self._records.live(reconciler.kind):
                self._wake(reconciler.kind.name, record.id)

    def wake(self, kind: Kind, record_id: str) -> None:
        """Something about the record changed: step it soon. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, kind.name, record_id)

    def hint(self, instance_id: str) -> None:
        """The engine saw an instance change; instance ids are `<record id>-<number>`. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._nudge, instance_id.rpartition("-")[0])

    async def close(self) -> None:
        """End the tasks where they wait; steps under way on worker threads finish on their own."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _nudge(self, record_id: str) -> None:
        if record_id in self._news:
            self._news[record_id].set()

    def _wake(self, kind: str, record_id: str) -> None:
        if record_id in self._news:
            self._news[record_id].set()
            return
        self._news[record_id] = asyncio.Event()
        task = asyncio.get_running_loop().create_task(self._look_after(self._reconcilers[kind], record_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_after(self, reconciler: Reconciler, record_id: str) -> None:
        news = self._news[record_id]
        failures = 0
        while True:
            news.clear()
            delay, failures = await self._step(reconciler, record_id, failures)
            if delay is None:
                if news.is_set():
                    continue
                del self._news[record_id]
                return
            try:
                await asyncio.wait_for(news.wait(), delay)
            except TimeoutError:
                continue

    async def _step(self, reconciler: Reconciler, record_id: str, failures: int) -> tuple[float | None, int]:
        """The delay until the next step, and how many in a row have failed."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, reconciler.step, record_id), 0
        except Stale:
            return 0.0, failures
        except Exception:
            log.exception("%s %s: a step failed and will be tried again", reconciler.kind.name, record_id)
            return min(LONGEST_BACKOFF, 0.1 * 2 ** min(failures, 10)), failures + 1
