"""Starting a platform as a process of its own, and knowing when it is ready.

start_detached ──► `python -m clary.cli up`, a session of its own, output to <state>/platform.log
              └──► waits until <state>/platform.json names that process; if the process ends before, the last
                   lines of its log are the reason
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from clary.cli.errors import CommandError
from clary.cli.options import command_line
from clary.cli.platforms import Platform, read_platform, running_platform, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from clary.settings import Settings

START_SECONDS = 60.0
LOG_LINES = 15


def refuse_second(settings: Settings) -> None:
    """Raise `CommandError` if a platform is up on this state directory."""
    platform = running_platform(settings.state)
    if platform:
        raise CommandError(
            f"Clary is already up on {settings.state}: {platform.url}, process {platform.pid}.",
            f"End that one ({command_line('down', settings)}) or give this one another --state and --port.",
        )


def require_platform(settings: Settings) -> Platform:
    """The platform that is up on this state directory; raises `CommandError` if there is none."""
    platform = running_platform(settings.state)
    if platform is None:
        raise CommandError(
            f"No platform is up on {settings.state}.",
            f"Start it with: {command_line('up --detach', settings)}",
        )
    return platform


def start_detached(settings: Settings) -> Platform:
    """Start a platform that outlives this process; returns when it listens."""
    state = settings.state
    state.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = state / "platform.log"
    with path.open("ab") as log:
        begin = log.tell()
        process = subprocess.Popen(
            [sys.executable, "-m", "clary.cli", "up"],
            env={**os.environ, **_as_variables(settings)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    from clary.cli.console import err

    with err.status("Starting Clary …"):
        wait_for(lambda: process.poll() is not None or ready_platform(state, process.pid), START_SECONDS)
    platform = ready_platform(state, process.pid)
    if platform is not None and process.returncode is None:
        return platform
    if process.returncode is None:
        process.terminate()
        problem = f"Clary was not ready after {START_SECONDS:.0f} s."
    else:
        problem = f"Clary ended at its start with exit code {process.returncode}."
    raise CommandError(problem, f"{_tail(path, begin)}\nThe whole log: {path}")


def ready_platform(state: Path, pid: int) -> Platform | None:
    """The platform of process `pid`, if it listens already."""
    platform = read_platform(state)
    return platform if platform is not None and platform.pid == pid else None


def _as_variables(settings: Settings) -> dict[str, str]:
    """`settings` as `CLARY_*` variables: arguments, unlike these, would show `ps` a database's password."""
    given = settings.model_dump(exclude_none=True)
    return {f"CLARY_{name.upper()}": str(value) for name, value in given.items()}


def _tail(path: Path, begin: int) -> str:
    """The last lines written to the log at `path` since offset `begin`."""
    with path.open("rb") as log:
        log.seek(begin)
        return "\n".join(log.read().decode(errors="replace").splitlines()[-LOG_LINES:])
