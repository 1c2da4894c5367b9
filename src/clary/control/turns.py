"""Whose turn it is to be stepped: each kind of record in its turn, and in a kind who came first.

The workers are shared by all kinds, and each kind has one besides for itself alone. So the kind whose steps are many,
or slow, leaves the others at least their own, and a record that asks to be stepped again at once stands behind those
that wait.
"""

from collections import Counter, deque
from collections.abc import Iterable


class Turns:
    """Of the event loop's thread alone. A record stands in line once at most: its owner sees to that."""

    def __init__(self, kinds: Iterable[str], shared: int) -> None:
        self._lines: dict[str, deque[str]] = {kind: deque() for kind in kinds}
        self._order = deque(self._lines)
        self._running: Counter[str] = Counter()
        self._free = shared

    def join(self, kind: str, record_id: str) -> None:
        self._lines[kind].append(record_id)

    def waiting(self, kind: str) -> int:
        return len(self._lines[kind])

    def take(self) -> tuple[str, str] | None:
        """The kind and id of who is next; `done` gives their worker back. None where nobody waits or no worker is
        free."""
        for _ in range(len(self._order)):
            kind = self._order[0]
            self._order.rotate(-1)
            if self._lines[kind] and self._hire(kind):
                return kind, self._lines[kind].popleft()
        return None

    def done(self, kind: str) -> None:
        self._running[kind] -= 1
        if self._running[kind]:
            self._free += 1

    def _hire(self, kind: str) -> bool:
        """The kind's own worker, or else one of the shared."""
        if self._running[kind]:
            if not self._free:
                return False
            self._free -= 1
        self._running[kind] += 1
        return True
