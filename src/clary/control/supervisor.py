"""Keeps every live record moving, one step at a time, and costs nothing for those that wait.

    wake (a handler), hint (the engine) ─────┐
    a child's passage (Records.on_wake) ─────┤
    a delay that is over, a timer (wake_at) ─┼─▶ Turns ─▶ a worker thread: Reconciler.step ─▶ when to look again
    rounds (rounds.py): start-up, the net ───┘                  └─ failed: again later; database away: outage.py

A *reconciler* knows one kind of resource. Its `step` loads the record, acts (asks the engine, moves files) and applies
what came of it through the gate; it may block. The supervisor holds in memory only records that are to be stepped, are
being stepped, or are to be looked at after a delay; one that waits for news alone is in the database and nowhere else.
What must go on is read from there at start-up, so that start-up is recovery.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from clary.control.outage import Outage
from clary.control.rounds import Rounds
from clary.control.trouble import passes
from clary.control.turns import Turns
from clary.database import afterwards
from clary.records.errors import Stale
from clary.records.record import Kind
from clary.records.store import Records

log = logging.getLogger(__name__)

LONGEST_BACKOFF = 30.0
LOUD_AGAIN = 60.0
"""Seconds between two reports of one record's failures."""
OVERTAKEN = 5
"""Times in a row that a step may find its record changed by another; more are a mistake of the reconciler's."""
WORKERS = 16
OWN_THREADS = 2
"""For what the supervisor itself asks the database."""


class Reconciler(Protocol):
    kind: Kind

    def step(self, record_id: str) -> float | None:
        """Move the record on. Returns seconds until the next look without news; None where there is nothing to do until
        there is some: it has ended, or it waits for a wake, a child or its timer (`wake_at`).

        Never called twice at once for one record, and maybe without need. An exception is logged and the step tried
        again later, so a failure that is the user's must be turned into a status.
        """
        ...


@dataclass(slots=True)
class Entry:
    """A record in memory. It stands in line, or is running, or waits for `delay`."""

    kind: str
    in_line: bool = False
    running: bool = False
    news: bool = False
    """Whether something happened during the step: another must see it."""
    delay: asyncio.TimerHandle | None = None
    timer: float | None = None
    """The `wake_at` that went off and that the next step answers."""
    failures: int = 0
    """In a row."""
    quiet_until: float = 0.0
    """By the loop's clock."""


class Supervisor:
    """Everything but the steps happens on the event loop's thread."""

    def __init__(self, records: Records, workers: int = WORKERS) -> None:
        self._records = records
        self._workers = workers
        self._loop: asyncio.AbstractEventLoop | None = None
        self._reconcilers: dict[str, Reconciler] = {}
        self._entries: dict[str, Entry] = {}
        records.on_wake(self._hear)

    def start(self, reconcilers: Iterable[Reconciler]) -> None:
        """Take up every live record, soon. Call on the event loop."""
        self._reconcilers = {reconciler.kind.name: reconciler for reconciler in reconcilers}
        # Turns gives each kind a worker of its own beside the shared ones.
        self._threads = ThreadPoolExecutor(
            self._workers + len(self._reconcilers) + OWN_THREADS, thread_name_prefix="step"
        )
        self._turns = Turns(self._reconcilers, self._workers)
        self._outage = Outage(self._records.agenda.answers, self._threads, self._dispatch)
        kinds = [reconciler.kind for reconciler in self._reconcilers.values()]
        self._rounds = Rounds(self._records.agenda, kinds, self._outage, self._offer, self._wake, self._turns.waiting)
        self._loop = asyncio.get_running_loop()
        self._rounds.start()

    def wake(self, kind: Kind, record_id: str) -> None:
        """Something about the record changed: step it soon, once that is durable. From any thread."""
        afterwards(lambda: self._post(self._wake, kind.name, record_id))

    def hint(self, instance_id: str) -> None:
        """The engine saw an instance change; instance ids are `<record id>-<number>`. From any thread."""
        self._post(self._nudge, instance_id.rpartition("-")[0])

    async def close(self) -> None:
        """Begin no more steps; those under way on worker threads finish on their own."""
        if self._loop is None:
            return
        self._loop = None
        await self._rounds.close()
        await self._outage.close()
        for entry in self._entries.values():
            if entry.delay is not None:
                entry.delay.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _hear(self, kind: str, record_id: str, wake_at: float | None) -> None:
        """What the records tell, from the thread that wrote it."""
        if wake_at is None:
            self._post(self._wake, kind, record_id)
        else:
            self._post(self._set_timer, kind, record_id, wake_at)

    def _post(self, act: Callable[..., None], *arguments: Any) -> None:
        """Do it on the loop. Before the start all is known from the records; after the end nobody is stepped."""
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):  # the loop was closed
                loop.call_soon_threadsafe(act, *arguments)

    def _set_timer(self, kind: str, record_id: str, wake_at: float) -> None:
        self._rounds.set_timer(kind, record_id, wake_at)

    def _nudge(self, record_id: str) -> None:
        entry = self._entries.get(record_id)
        if entry is None:
            self._rounds.look_up(record_id)
        else:
            self._wake(entry.kind, record_id)

    def _offer(self, kind: str, record_id: str) -> None:
        """Step a record that lives, unless it is in memory anyway."""
        if record_id not in self._entries:
            self._wake(kind, record_id)

    def _wake(self, kind: str, record_id: str, timer: float | None = None) -> None:
        if kind not in self._reconcilers:
            return
        entry = self._entries.setdefault(record_id, Entry(kind))
        if timer is not None:
            entry.timer = timer
        if entry.running:
            entry.news = True
            return
        self._line_up(record_id, entry)
        self._dispatch()

    def _line_up(self, record_id: str, entry: Entry) -> None:
        if entry.delay is not None:
            entry.delay.cancel()
            entry.delay = None
        if not entry.in_line:
            entry.in_line = True
            self._turns.join(entry.kind, record_id)

    def _dispatch(self) -> None:
        while self._loop is not None and not self._outage.suspected and (found := self._turns.take()):
            kind, record_id = found
            entry = self._entries[record_id]
            entry.in_line, entry.running, entry.news = False, True, False
            timer, entry.timer = entry.timer, None
            step = self._loop.run_in_executor(self._threads, self._step, kind, record_id, timer)
            step.add_done_callback(partial(self._stepped, record_id, entry, timer))

    def _step(self, kind: str, record_id: str, timer: float | None) -> float | None:
        """On a worker thread."""
        delay = self._reconcilers[kind].step(record_id)
        if timer is not None:
            self._records.agenda.settle(record_id, timer)
        return delay

    def _stepped(self, record_id: str, entry: Entry, timer: float | None, step: "asyncio.Future[float | None]") -> None:
        self._turns.done(entry.kind)
        entry.running = False
        if self._loop is None or step.cancelled():
            return
        error = step.exception()
        if error is None:
            delay, entry.failures = step.result(), 0
        else:
            # The timer is not settled: it goes on counting as gone off.
            entry.timer = timer if entry.timer is None else entry.timer
            delay = self._after_failure(record_id, entry, error)
        if entry.news or (delay is not None and delay <= 0):
            self._line_up(record_id, entry)
        elif delay is None or delay == math.inf:
            del self._entries[record_id]
        else:
            entry.delay = self._loop.call_later(delay, self._wake, entry.kind, record_id)
        self._dispatch()

    def _after_failure(self, record_id: str, entry: Entry, error: BaseException) -> float:
        """Seconds until it is tried again."""
        entry.failures += 1
        stale = isinstance(error, Stale)
        if stale and entry.failures <= OVERTAKEN:
            return 0.0
        now = asyncio.get_running_loop().time()
        if passes(error) and not stale:
            self._outage.suspect(error)
        elif now >= entry.quiet_until:
            entry.quiet_until = now + LOUD_AGAIN
            words = "%s %s: %d steps in a row have failed; it will be tried again"
            log.error(words, entry.kind, record_id, entry.failures, exc_info=error)
        before = entry.failures - 1 - (OVERTAKEN if stale else 0)
        return min(LONGEST_BACKOFF, 0.1 * 2.0 ** min(before, 10))
