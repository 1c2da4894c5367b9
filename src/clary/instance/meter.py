"""What a program uses of its machine, measured once a minute and told in `status.json`.

Read from /proc (proc_pid_stat(5), proc_pid_smaps(5)): of all processes below the agent, a sandbox's included. Memory is
counted by proportional shares, so that what processes share counts once.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST, EVERY = 10.0, 60.0
"""Seconds from the start of the program, and between two measurements after that."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Meter:
    tell: Callable[[dict[str, float]], None]
    """Is given percentages by the names of CloudWatch's metrics, and when they were measured (`at`)."""
    directory: str
    """On the disk that the instance writes to."""
    memory: int
    """Bytes of which the memory used is a share."""
    due: float = field(default_factory=lambda: time.monotonic() + FIRST)
    _then: float = field(default_factory=time.monotonic)
    _used: float = 0.0
    """CPU seconds until then."""

    def look(self) -> None:
        """Measure, where it is time to."""
        now = time.monotonic()
        if now < self.due:
            return
        self.due = now + EVERY
        processes = below(os.getpid())
        used, then = self._used, self._then
        self._used, self._then = sum(map(_cpu_seconds, processes)) + _ended(), now
        disk = os.statvfs(self.directory)
        self.tell(
            {
                "at": time.time(),
                # What ended unseen is missing from the sum: it never falls.
                "CPUUtilization": max(0.0, self._used - used) / (now - then) * 100,
                "MemoryUtilization": sum(map(memory_of, processes)) / self.memory * 100,
                "DiskUtilization": (1 - disk.f_bfree / disk.f_blocks) * 100,
            }
        )


def below(root: int) -> list[int]:
    """The processes that descend from this one."""
    by_parent: defaultdict[int, list[int]] = defaultdict(list)
    for name in os.listdir("/proc"):
        if name.isdigit() and (fields := _stat(int(name))):
            by_parent[int(fields[1])].append(int(name))
    found, waiting = [], [root]
    while waiting:
        below = by_parent[waiting.pop()]
        found += below
        waiting += below
    return found


def _stat(pid: int) -> list[bytes]:
    """The fields after the command's name, which may itself hold blanks and parentheses; none once it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as file:
        return file.read().rpartition(b")")[2].split()
    return []


def _cpu_seconds(pid: int) -> float:
    """Its own, and those of its children that have ended."""
    return sum(map(int, _stat(pid)[11:15])) / TICKS


def _ended() -> float:
    """CPU seconds of children of the agent that have ended."""
    times = os.times()
    return times.children_user + times.children_system


def memory_of(pid: int) -> int:
    """Bytes; 0 where it may not be known."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", "rb") as file:
        for line in file:
            if line.startswith(b"Pss:"):
                return int(line.split()[1]) * 1024
    return 0
