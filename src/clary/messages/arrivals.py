"""Who waits for a queue is told when something may be there for it. Nobody looks in vain."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Hear = Callable[[], None]


class Arrivals:
    """Safe to use from any thread. What hears must be quick and must not fail."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[str, list[Hear]] = {}

    def tell(self, queue: str) -> None:
        with self._lock:
            listeners = list(self._listeners.get(queue, ()))
        for hear in listeners:
            hear()

    @contextmanager
    def listening(self, queue: str, hear: Hear) -> Iterator[None]:
        """Call `hear` at each arrival, until the block ends. Look once more within it: what came before is not told."""
        with self._lock:
            self._listeners.setdefault(queue, []).append(hear)
        try:
            yield
        finally:
            with self._lock:
                self._listeners[queue].remove(hear)
                if not self._listeners[queue]:
                    del self._listeners[queue]
