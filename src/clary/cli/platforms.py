"""Which platform runs on a state directory.

A platform holds an exclusive `flock` on `<state>/lock` for as long as it lives and, once it listens, writes
`<state>/platform.json` in one piece. The file alone proves nothing (it outlives a `kill -9`); with the lock
held, it is the truth.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.01


@dataclass(frozen=True)
class Platform:
    """What `<state>/platform.json` says."""

    pid: int
    host: str
    port: int
    url: str
    started: float
    version: str


def read_platform(state: Path) -> Platform | None:
    """The platform that last listened on `state`, alive or not."""
    try:
        document = json.loads((state / "platform.json").read_bytes())
    except FileNotFoundError:
        return None
    return Platform(**{name: document[name] for name in Platform.__dataclass_fields__})


def running_platform(state: Path) -> Platform | None:
    """The platform that is up on `state` now."""
    platform = read_platform(state)
    return platform if platform is not None and is_alive(state, platform.pid) else None


def is_alive(state: Path, pid: int) -> bool:
    """Whether the platform of process `pid` still holds `state`, closing down included.

    The lock is tried only where the process exists: a try holds it for a moment, in which a platform that is
    just starting would be refused.
    """
    return _process_exists(pid) and _lock_is_held(state / "lock")


def wait_for(probe: Callable[[], T], seconds: float) -> T:
    """The first true answer of `probe`, or its last one after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := probe()) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return answer


def _process_exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _lock_is_held(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
