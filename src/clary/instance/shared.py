"""Directories that are made once, by whoever needs one first, and shared by all who need it after.

<directory>.lock     shared: somebody uses it; exclusive: somebody makes or removes it
<directory>/<mark>   written last: without it the making was interrupted, and is begun anew
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from typing import Protocol

LOCK_LOOK = 0.1
"""Seconds between two tries for the lock of a directory that another makes."""


class Ear(Protocol):
    """Who asks for a directory and hears how it comes about."""

    def begin(self) -> None:
        """It is not there: it is downloaded now. May be called again."""
        ...

    def say(self, text: str) -> None: ...

    def check(self) -> None:
        """Raise to give up."""
        ...


def hold(directory: str, mark: str, ear: Ear, make: Callable[[], None]) -> tuple[int, bool]:
    """The open lock of a complete directory, which nobody removes while that is open, and whether `make` made it."""
    os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
    lock = os.open(f"{directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    made = False

    def is_complete() -> bool:
        return os.path.exists(f"{directory}/{mark}")

    try:
        while True:
            _take(lock, fcntl.LOCK_SH, ear)
            if is_complete():
                return lock, made
            # Between the two locks another may make it, or remove it again. Who made it goes on to use it, so that one
            # who still waited to be alone with it would wait for the end of that.
            if _take(lock, fcntl.LOCK_EX, ear, unless=is_complete) and not is_complete():
                make()
                made = True
    except BaseException:
        os.close(lock)
        raise


@contextlib.contextmanager
def sole_use(directory: str) -> Iterator[bool]:
    """Whether nobody uses, or makes, the directory, nor will until this ends."""
    lock = os.open(f"{directory}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield _try(lock, fcntl.LOCK_EX)
    finally:
        os.close(lock)


def _take(lock: int, kind: int, ear: Ear, unless: Callable[[], bool] = lambda: False) -> bool:
    """Whether it was taken, which it is not once `unless` holds."""
    waiting = False
    while not _try(lock, kind):
        if unless():
            return False
        ear.check()
        if not waiting:
            ear.begin()
            ear.say("Waiting for another instance, or command, that downloads the same image.")
            waiting = True
        time.sleep(LOCK_LOOK)
    return True


def _try(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno != errno.EWOULDBLOCK:
            raise
        return False
    return True
