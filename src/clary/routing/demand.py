"""Which variants are wanted that may have no replica: who waits, how many are under way, when the last one was.

invocation ─ enter ─▶ (no replica: changed() ◀─ tell, by publish) ─▶ sent ─ leave        idle() ◀─ the reconciler
"""

import asyncio
import threading
import time
from collections import Counter

from clary.records.record import Scope

Key = tuple[Scope, str, str]
"""Scope, endpoint and variant."""


class Demand:
    """`tell` and `idle` may be called from any thread; the rest belongs to the event loop."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._under_way: Counter[Key] = Counter()
        self._last: dict[Key, float] = {}
        self._lock = threading.Lock()
        self._waiting: dict[tuple[Scope, str], list[asyncio.Future[None]]] = {}

    def enter(self, key: Key, most: int) -> bool:
        """Count one more invocation, unless there are as many as may be."""
        if self._under_way[key] >= most:
            return False
        self._under_way[key] += 1
        return True

    def leave(self, key: Key) -> None:
        self._last[key] = time.monotonic()
        self._under_way[key] -= 1
        if not self._under_way[key]:
            del self._under_way[key]

    def idle(self, scope: Scope, endpoint: str, variant: str) -> float:
        """Seconds since the last invocation ended; 0 while one is under way. Nobody knows what was before this
        process began."""
        key = (scope, endpoint, variant)
        if key in self._under_way:
            return 0.0
        return max(1e-3, time.monotonic() - self._last.get(key, self._began))

    def changed(self, scope: Scope, endpoint: str) -> asyncio.Future[None]:
        """Done once the route of the endpoint is another one, or gone."""
        future = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiting.setdefault((scope, endpoint), []).append(future)
        return future

    def tell(self, scope: Scope, endpoint: str) -> None:
        with self._lock:
            waiting = self._waiting.pop((scope, endpoint), [])
        for future in waiting:
            future.get_loop().call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
