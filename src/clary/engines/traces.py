"""What an agent leaves in its instance's directory, as the engine reads it, and how both are done away with."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from clary.engines import locks
from clary.engines.answers import LogLine
from clary.instance.layout import Layout
from clary.instance.removing import remove_tree
from clary.instance.spec import InstanceStatus
from clary.instance.wishes import express

LOG_PAGE = 1024 * 1024
KILL_SECONDS = 5.0
"""How long a killed agent has to end its program and itself before it is killed outright."""
LOST = "InternalServerError: The instance agent was lost: it was killed, or the machine restarted."


def read_status(layout: Layout) -> InstanceStatus:
    """What the agent said last, or that it is lost. Raises `KeyError` where it ended before its first word."""
    alive = locks.is_held(layout["agent.lock"])
    # Read after the look at the lock: an agent that ended in between has written its last word by now.
    try:
        status = InstanceStatus.from_json(Path(layout["status.json"]).read_text())
    except FileNotFoundError:
        if alive:
            return InstanceStatus()
        raise KeyError(layout.id) from None
    if status.phase != "Done" and not alive:
        status.phase, status.outcome, status.reason = "Done", "Failed", LOST
        status.lost = True
        status.entered["Done"] = _last_sign(layout)
    return status


def read_log(layout: Layout, offset: int) -> tuple[list[LogLine], int]:
    """As `Engine.logs`."""
    try:
        with open(layout["log"], "rb") as file:
            file.seek(offset)
            page = file.read(LOG_PAGE)
    except FileNotFoundError:
        return [], offset
    page = page[: page.rfind(b"\n") + 1]
    return list(_lines(page)), offset + len(page)


def end_agent(layout: Layout) -> None:
    """Kill the agent and its program, where they live; they have ended when this returns."""
    if not locks.is_held(layout["agent.lock"]):
        return
    express(layout, "kill")
    deadline = time.monotonic() + KILL_SECONDS
    while locks.is_held(layout["agent.lock"]):
        if time.monotonic() > deadline:
            os.kill(int(Path(layout["agent.lock"]).read_text()), signal.SIGKILL)
            deadline += KILL_SECONDS
        time.sleep(0.005)


def remove(layout: Layout) -> None:
    """The directory of an instance whose agent has ended."""
    remove_tree(layout.root)


def _last_sign(layout: Layout) -> float:
    """When the agent was last seen to do something."""
    paths = (layout["status.json"], layout["log"])
    return max(os.path.getmtime(path) for path in paths if os.path.exists(path))


def _lines(page: bytes) -> Iterator[LogLine]:
    for record in page.decode(errors="replace").split("\n")[:-1]:
        stamp, _, text = record.partition("\t")
        yield LogLine(int(stamp) / 1000, text)
