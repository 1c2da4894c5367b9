"""The answers of one object as one file: in the order of its batches, and at its place only once they are all there."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import BinaryIO

AHEAD = 4
"""Answers, for each lane, that may wait for an earlier one."""


class Assembly:
    def __init__(self, partial: str, place: str, *, line: bool, lanes: int) -> None:
        """`partial` is the path of the file while it grows; with `line` a newline ends each answer."""
        self._partial, self._place = partial, place
        self._line = line
        self._most = AHEAD * lanes
        self._moved = threading.Condition()
        self._held: dict[int, bytes] = {}
        self._written = 0
        self._batches: int | None = None
        """How many there are; None until that is known."""
        self._file: BinaryIO = open(partial, "wb")  # noqa: SIM115  (closed when it is whole, or fails)
        self.failed = False

    def put(self, number: int, answer: bytes) -> None:
        """Take the answer to batch `number`. Waits where too many wait for an earlier one. Raises `OSError`."""
        with self._moved:
            self._moved.wait_for(lambda: self.failed or number - self._written <= self._most)
            if self.failed:
                return
            self._held[number] = answer
            while (held := self._held.pop(self._written, None)) is not None:
                self._file.write(held)
                if self._line and not held.endswith(b"\n"):
                    self._file.write(b"\n")
                self._written += 1
            self._moved.notify_all()
            self._finish()

    def end(self, batches: int) -> None:
        """There are so many. Raises `OSError`."""
        with self._moved:
            self._batches = batches
            if not self.failed:
                self._finish()

    def fail(self) -> bool:
        """Leave nothing. Whether it had not failed before."""
        with self._moved:
            first, self.failed = not self.failed, True
            self._held.clear()
            self._moved.notify_all()
        if first:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                os.unlink(self._partial)
        return first

    def _finish(self) -> None:
        if self._written == self._batches:
            self._file.close()
            os.makedirs(os.path.dirname(self._place), exist_ok=True)
            os.replace(self._partial, self._place)
