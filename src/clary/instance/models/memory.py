"""Memory that the processes of an instance use: Linux's /proc."""

from __future__ import annotations

import contextlib
import os
from collections import defaultdict


def memory_of_descendants(ancestor: int) -> int:
    """Bytes of all processes below `ancestor`; what several share is shared out among them."""
    children = _children()
    found, waiting = 0, list(children[ancestor])
    while waiting:
        pid = waiting.pop()
        found += _memory_of(pid)
        waiting += children[pid]
    return found


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    for name in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError), open(f"/proc/{name}/stat", "rb") as file:
            # The fields after the command's name, which may itself hold blanks and parentheses.
            found[int(file.read().rpartition(b")")[2].split()[1])].append(int(name))
    return found


def _memory_of(pid: int) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))
    return 0
