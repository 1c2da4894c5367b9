"""Hints that an instance changed: agents write its id into a fifo, and whoever asked is called back.

<instances>/changes ─▶ a thread, once anybody listens ─▶ heard, then all callbacks
"""

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable
from pathlib import Path

PIPE = 1 << 20
"""Bytes of hints that the fifo holds while nobody reads it."""


class Hints:
    def __init__(self, fifo: Path, heard: Callable[[str], None]) -> None:
        """`heard` is called before all others, and only with what came through the fifo."""
        self._fifo = fifo
        self._heard = heard
        self._callbacks: list[Callable[[str], None]] = []
        self._lock = threading.Lock()

    def listen(self, callback: Callable[[str], None]) -> None:
        with self._lock:
            self._callbacks.append(callback)
            if len(self._callbacks) == 1:
                threading.Thread(target=self._read, name="instance-changes", daemon=True).start()

    def tell(self, instance_id: str) -> None:
        for callback in self._callbacks:
            callback(instance_id)

    def _read(self) -> None:
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._fifo, 0o600)
        # Open for writing too, so that the fifo does not end with its last writer.
        with open(os.open(self._fifo, os.O_RDWR), encoding="utf-8") as changes:
            with contextlib.suppress(OSError):
                fcntl.fcntl(changes, fcntl.F_SETPIPE_SZ, PIPE)
            for line in changes:
                instance_id = line.rstrip("\n")
                self._heard(instance_id)
                self.tell(instance_id)
