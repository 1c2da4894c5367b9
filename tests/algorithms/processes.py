"""Processes of algorithms that a platform on this machine runs."""

import re
import subprocess
from pathlib import Path

PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


def program_of(agent: int) -> int:
    """The process of an algorithm that the agent has started, be it within others; 0 where there is none."""
    found = subprocess.check_output(["ps", "-e", "-ww", "-o", "pid=,ppid=,comm=,args="], text=True)
    lines = [line.split(None, 3) for line in found.splitlines()]
    above = {int(pid): int(parent) for pid, parent, *_ in lines}

    def is_below(pid: int) -> bool:
        return pid == agent or (pid in above and is_below(above[pid]))

    # What holds it has the same arguments, and another name.
    those = (
        int(pid)
        for pid, _, name, words in lines
        if name.startswith("python") and "-m clary.algorithms" in words and is_below(int(pid))
    )
    return max(those, default=0)


def memory_of(program: int) -> int:
    """The most bytes that it has had resident so far; 0 once it has ended."""
    try:
        found = PEAK.search(Path(f"/proc/{program}/status").read_text())
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(found[1]) * 1024 if found else 0
