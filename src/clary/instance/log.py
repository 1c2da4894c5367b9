"""The log of an instance: what the program printed, as soon as it printed it.

    pipe → `Stream.feed` (lines; one per pipe) → `Log.append` → file, and a hint to the engine

A record is `<epoch milliseconds>\t<text>\n`. Bytes are kept as they came; who reads decodes them. A progress bar that
redraws its line with carriage returns is kept as its latest state, about once a second.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterable

LONGEST = 256 * 1024
"""Bytes of a line; longer ones are cut into several."""
IDLE = 0.5
"""Seconds of silence after which an unfinished line is written as it is: a prompt, a dot of progress."""
REDRAW = 1.0
"""Seconds between two states of a progress bar."""
HINT_INTERVAL = 0.05
TAIL_LINES = 60


class Log:
    def __init__(self, path: str, hint: Callable[[], None]) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._hint = hint
        self._hinted = 0.0
        self._owed = False

    def append(self, lines: Iterable[bytes]) -> None:
        stamp = b"%d\t" % (time.time() * 1000)
        os.write(self._fd, b"".join([stamp + line + b"\n" for line in lines]))
        self._owed = True
        self.settle(time.monotonic())

    def say(self, text: str) -> None:
        """A line of the agent's own."""
        self.append(text.encode().splitlines())

    def settle(self, now: float) -> None:
        """Give the hint that is owed, unless the last one was only just now."""
        if self.due is not None and self.due <= now:
            self._owed, self._hinted = False, now
            self._hint()

    @property
    def due(self) -> float | None:
        return self._hinted + HINT_INTERVAL if self._owed else None

    def sync(self) -> None:
        os.fsync(self._fd)


class Stream:
    """One pipe of a program. `tail` keeps its last lines."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._rest = b""
        self._began = 0.0
        self._heard = 0.0
        self.tail: deque[bytes] = deque(maxlen=TAIL_LINES)

    def feed(self, data: bytes) -> None:
        self._heard = time.monotonic()
        if not self._rest:
            self._began = self._heard
        *lines, rest = (self._rest + data).split(b"\n")
        if lines:
            self._began = self._heard
        while len(rest) > LONGEST:
            cut = _character_start(rest, LONGEST)
            lines.append(rest[:cut])
            rest = rest[cut:]
        self._rest = rest
        self._write(lines)

    @property
    def due(self) -> float | None:
        """When the unfinished line is to be flushed; None while there is none."""
        if not self._rest:
            return None
        idle = self._heard + IDLE
        return min(idle, self._began + REDRAW) if b"\r" in self._rest else idle

    def flush(self) -> None:
        rest, self._rest = self._rest, b""
        if rest:
            self._write([rest])

    def _write(self, lines: list[bytes]) -> None:
        kept = [piece for line in lines for piece in _pieces(_latest(line))]
        if kept:
            self.tail.extend(kept)
            self._log.append(kept)


def _latest(line: bytes) -> bytes:
    """The last state of a line that was redrawn."""
    if b"\r" not in line:
        return line
    states = [state for state in line.split(b"\r") if state]
    return states[-1] if states else b""


def _pieces(line: bytes) -> Iterable[bytes]:
    while len(line) > LONGEST:
        cut = _character_start(line, LONGEST)
        yield line[:cut]
        line = line[cut:]
    yield line


def _character_start(data: bytes, at: int) -> int:
    """The nearest place at or before `at` that does not cut a UTF-8 character in two."""
    for place in range(at, max(at - 4, 0), -1):
        if data[place] & 0xC0 != 0x80:
            return place
    return at
