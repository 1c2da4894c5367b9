"""What the supervisor learns from the records themselves: who lives, and whose timer falls due.

start-up   every live record, a page at a time as the line empties, those changed last first
the net    then round and round, a few a second: a wake that was lost by a mistake is a delay and no more
timers     each look reads those of the next minute, which then wait on the event loop; news of others is told
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from clary.control.outage import Outage
from clary.records.agenda import Agenda, Place, Timer
from clary.records.record import Kind

PAGE = 200
SHORT_LINE = 50
"""Records in line at start-up, at which the next page is read."""
LINGER = 0.02
LONGEST_LINGER = 50
"""Seconds between looks at the line, and looks after which the next page is read whatever the line."""
NET_PAGE = 100
NET_PAUSE = 10.0
"""Seconds between two pages of the net: it steps ten records a second of each kind, at most."""
HORIZON = 60.0
"""Seconds ahead that timers are read; looked at twice as often."""


class Rounds:
    """Of the event loop's thread alone. `offer` says who lives, by kind and id, and `wake` who has news, with the timer
    that went off; `waiting` is how many of a kind stand in line."""

    def __init__(
        self,
        agenda: Agenda,
        kinds: Iterable[Kind],
        outage: Outage,
        offer: Callable[[str, str], None],
        wake: Callable[[str, str, float | None], None],
        waiting: Callable[[str], int],
    ) -> None:
        self._agenda = agenda
        self._kinds = {kind.name: kind for kind in kinds}
        self._outage = outage
        self._offer = offer
        self._wake = wake
        self._waiting = waiting
        self._tasks: set[asyncio.Task[None]] = set()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._strangers: set[str] = set()

    def start(self) -> None:
        self._spawn(self._watch_timers())
        for kind in self._kinds.values():
            self._spawn(self._walk(kind))

    async def close(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def set_timer(self, kind: str, record_id: str, wake_at: float) -> None:
        """The record's timer is this now, and no other."""
        known = self._timers.pop(record_id, None)
        if known is not None:
            known.cancel()
        delay = wake_at - time.time()
        if delay <= HORIZON and kind in self._kinds:
            loop = asyncio.get_running_loop()
            self._timers[record_id] = loop.call_later(max(0.0, delay), self._ring, kind, record_id, wake_at)

    def look_up(self, record_id: str) -> None:
        """Wake a record of which only the id is known, if it lives."""
        if not self._strangers:
            self._spawn(self._find_strangers())
        self._strangers.add(record_id)

    def _ring(self, kind: str, record_id: str, wake_at: float) -> None:
        if time.time() < wake_at:  # the loop's clock ran ahead of the wall's
            self.set_timer(kind, record_id, wake_at)
            return
        self._timers.pop(record_id, None)
        self._wake(kind, record_id, wake_at)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch_timers(self) -> None:
        while True:
            until = time.time() + HORIZON
            last: Timer | None = None
            while page := await self._outage.ask(self._agenda.due, until, last, PAGE):
                for timer in page:
                    self.set_timer(timer.kind, timer.id, timer.wake_at)
                last = page[-1]
            await asyncio.sleep(HORIZON / 2)

    async def _walk(self, kind: Kind) -> None:
        await self._go_round(kind, PAGE, lambda: self._until_short(kind))
        while True:
            await asyncio.sleep(NET_PAUSE)
            await self._go_round(kind, NET_PAGE, lambda: asyncio.sleep(NET_PAUSE))

    async def _go_round(self, kind: Kind, limit: int, pause: Callable[[], Coroutine[Any, Any, None]]) -> None:
        after: Place | None = None
        while True:
            page = await self._outage.ask(self._agenda.live_ids, kind, after, limit)
            for record_id in page.ids:
                self._offer(kind.name, record_id)
            if page.last is None:
                return
            after = page.last
            await pause()

    async def _until_short(self, kind: Kind) -> None:
        for _ in range(LONGEST_LINGER):
            if self._waiting(kind.name) <= SHORT_LINE:
                return
            await asyncio.sleep(LINGER)

    async def _find_strangers(self) -> None:
        while self._strangers:
            # They stay in the set until they are woken, so that there is one such task.
            ids = list(self._strangers)
            for record_id, kind in (await self._outage.ask(self._agenda.live_kinds, ids)).items():
                self._wake(kind, record_id, None)
            self._strangers.difference_update(ids)
