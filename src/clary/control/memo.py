"""What is asked for with every call and changes seldom, kept in memory until somebody says that it changed."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Memo(Generic[T]):
    """Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        """Held while a value is loaded, so that none which was read before a change outlives `forget`."""
        self._values: dict[str, T] = {}

    def known(self, key: str) -> T | None:
        """Without waiting for anybody."""
        return self._values.get(key)

    def get(self, key: str, load: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._values:
                self._values[key] = load()
            return self._values[key]

    def forget(self, key: str) -> None:
        """Call it when the change is committed."""
        with self._lock:
            self._values.pop(key, None)
