"""Limits of an instance: CPU time, memory and processes, by control groups where the machine lets the agent make one.

Version 2 (one tree, delegated by systemd or a container runtime) and version 1 (a tree for each controller) are
described in the kernel's admin-guide. The group lies beside or below the agent's own, so that limits which the
platform itself is under still hold.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field

ROOT = "/sys/fs/cgroup"
PERIOD = 100_000
"""Microseconds over which CPU time is shared out."""
REMOVAL_SECONDS = 1.0


@dataclass(slots=True)
class Group:
    directories: list[str] = field(default_factory=list)
    notice: str = ""
    """What could not be limited."""

    @classmethod
    def create(cls, name: str, vcpus: float, memory: int, processes: int = 0) -> Group:
        group, refused = cls(), []
        wishes = {
            "cpu": int(vcpus * PERIOD) if vcpus < (os.cpu_count() or 1) else 0,
            "memory": memory if memory < machine_memory() else 0,
            "pids": processes,
        }
        for controller, limit in wishes.items():
            if not limit:
                continue
            try:
                directory = _make(controller, f"clary-{name}")
                if directory not in group.directories:
                    group.directories.append(directory)
                _limit(directory, controller, limit)
            except OSError:
                # Of processes no instance type promises a number.
                refused += {"cpu": ["CPU"], "memory": ["memory"]}.get(controller, [])
        if refused:
            group.notice = (
                f"No {' or '.join(refused)} limit here: this machine lets Clary make no control group for it."
            )
        return group

    def join(self) -> None:
        """Move the calling process into the group."""
        for directory in self.directories:
            _write(f"{directory}/cgroup.procs", "0")

    def out_of_memory(self) -> bool:
        """Whether the kernel killed a process of the group for the memory it used."""
        for directory in self.directories:
            for name in ("memory.events", "memory.oom_control"):
                with contextlib.suppress(OSError), open(f"{directory}/{name}", encoding="ascii") as file:
                    if any(line.startswith("oom_kill ") and int(line.split()[1]) for line in file):
                        return True
        return False

    def remove(self) -> None:
        """Once its processes are gone, which the kernel notices a moment after their parents do."""
        until = time.monotonic() + REMOVAL_SECONDS
        for directory in self.directories:
            while True:
                try:
                    os.rmdir(directory)
                except OSError:
                    if time.monotonic() < until:
                        time.sleep(0.005)
                        continue
                break


def machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _make(controller: str, name: str) -> str:
    own = _own_groups()
    if controller in own:
        directory = f"{ROOT}/{controller}{own[controller].rstrip('/')}/{name}"
        os.makedirs(directory, exist_ok=True)
        return directory
    parent = _delegated(f"{ROOT}{own.get('', '/')}".rstrip("/"), controller)
    os.makedirs(f"{parent}/{name}", exist_ok=True)
    return f"{parent}/{name}"


def _delegated(own: str, controller: str) -> str:
    """The nearest group, from the agent's own upwards, that hands `controller` on to groups below it. A group with
    processes of its own cannot, except the root, so it is most often the parent."""
    for group in (own, os.path.dirname(own)):
        with open(f"{group}/cgroup.subtree_control", encoding="ascii") as file:
            if controller in file.read().split():
                return group
    raise OSError(f"{controller} is not delegated")


def _own_groups() -> dict[str, str]:
    """Controller → path of this process's group; the empty name is version 2's."""
    with open("/proc/self/cgroup", encoding="ascii") as file:
        fields = [line.rstrip("\n").split(":", 2) for line in file]
    return {controller: path for _, controllers, path in fields for controller in controllers.split(",")}


def _limit(directory: str, controller: str, limit: int) -> None:
    if controller == "pids":
        _write(f"{directory}/pids.max", str(limit))
    elif controller == "cpu" and os.path.exists(f"{directory}/cpu.max"):
        _write(f"{directory}/cpu.max", f"{limit} {PERIOD}")
    elif controller == "cpu":
        _write(f"{directory}/cpu.cfs_period_us", str(PERIOD))
        _write(f"{directory}/cpu.cfs_quota_us", str(limit))
    elif os.path.exists(f"{directory}/memory.max"):
        _write(f"{directory}/memory.max", str(limit))
    else:
        _write(f"{directory}/memory.limit_in_bytes", str(limit))


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)
