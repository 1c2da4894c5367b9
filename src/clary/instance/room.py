"""The disk that instances share with the platform: whoever fills it is ended before the platform has nothing left.

Looked at while anything of an instance writes: downloads, the installation of requirements, the program, packing.
When less is left than the platform keeps for itself, an instance that holds more than what is left is ended. So the
largest go first, the bound falls with the room, and an instance that holds little is left alone.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from clary.instance.errors import Refused

FASTEST_DISK = 4 * 2**30
"""Bytes a second at which a program is believed able to write: how soon to look again follows from it."""
SOONEST, LATEST = 0.05, 5.0
BLOCK = 512
"""Bytes of the unit of `st_blocks`: stat(2)."""


@dataclass(slots=True)
class Room:
    directories: list[str]
    """All that the instance may write to; on one disk."""
    reserve: int
    """Bytes of the disk that instances may not have; 0 is none."""
    besides: set[str] = field(default_factory=set)
    """Directories of links to files that belong to somebody else."""
    due: float | None = None
    """When to look again, in seconds of the monotonic clock."""

    def __post_init__(self) -> None:
        if self.reserve:
            self.due = 0.0

    def check(self) -> None:
        """Look, where it is time to; raise `Refused` where the instance has to end."""
        if reason := self.look(lambda: None):
            raise Refused(f"ClientError: {reason}")

    def look(self, inside: Callable[[], int | None]) -> str:
        """Why the instance has to end, where it has to. `inside` finds a process of its pid namespace, where it has
        one: all that are in there may hold deleted files open."""
        now = time.monotonic()
        if self.due is None or now < self.due:
            return ""
        left = self._left()
        self.due = now + min(max((left - self.reserve) / FASTEST_DISK, SOONEST), LATEST)
        if left >= self.reserve:
            return ""
        held = self._held() + deleted_but_open(inside())
        if held <= left:
            return ""
        return (
            f"DiskFull: the instance holds {held / 2**30:.3g} GiB, and only {left / 2**30:.3g} GiB of this machine's "
            f"disk are left, of which Clary keeps {self.reserve / 2**30:.3g} GiB for itself"
        )

    def _left(self) -> int:
        disk = os.statvfs(self.directories[0])
        return disk.f_bavail * disk.f_frsize

    def _held(self) -> int:
        blocks, seen = 0, set()
        for top in self.directories:
            for parent, directories, names in os.walk(top):
                directories[:] = [name for name in directories if f"{parent}/{name}" not in self.besides]
                for name in names:
                    with contextlib.suppress(OSError):
                        status = os.lstat(f"{parent}/{name}")
                        if status.st_nlink == 1 or status.st_ino not in seen:
                            blocks += status.st_blocks
                            seen.add(status.st_ino)
        return blocks * BLOCK


def deleted_but_open(program: int | None) -> int:
    """Bytes of the files without a name that processes beside `program` hold open."""
    blocks, seen = 0, set()
    if program is None:
        return 0
    namespace = _namespace(program)
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            if _namespace(pid) != namespace:
                continue
            for fd in os.listdir(f"/proc/{pid}/fd"):
                status = os.stat(f"/proc/{pid}/fd/{fd}")
                if stat.S_ISREG(status.st_mode) and not status.st_nlink and (status.st_dev, status.st_ino) not in seen:
                    blocks += status.st_blocks
                    seen.add((status.st_dev, status.st_ino))
    return blocks * BLOCK


def _namespace(pid: int | str) -> str:
    try:
        return os.readlink(f"/proc/{pid}/ns/pid")
    except OSError:
        return ""
