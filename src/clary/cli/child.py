"""One program as this process's child, as if it were this process: its signals, its exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from functools import partial

from clary.cli.errors import CommandError

CANNOT_START, NOT_EXECUTABLE, NOT_FOUND = 125, 126, 127
"""Exit codes that are not the program's: as `env` and `timeout` have them."""

FORWARDED = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGUSR1,
    signal.SIGUSR2,
)
FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)


async def run_child(program: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run `program` to its end; returns its exit code, negative if a signal ended it."""
    try:
        process = await asyncio.create_subprocess_exec(*program, env=environment)
    except FileNotFoundError:
        raise CommandError(f"There is no program {program[0]}.", code=NOT_FOUND) from None
    except PermissionError:
        raise CommandError(f"{program[0]} is not executable.", code=NOT_EXECUTABLE) from None
    loop = asyncio.get_running_loop()
    for number in FORWARDED:
        loop.add_signal_handler(number, partial(_forward, number, process))
    return await process.wait()


def end_as(status: int) -> None:
    """End this process the way its child ended."""
    if status < 0:
        if -status != signal.SIGKILL:  # whose handling nobody may set
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)


def _forward(number: signal.Signals, process: asyncio.subprocess.Process) -> None:
    # Ctrl-C reaches every process in front of the terminal by itself; a second one would break off clean-ups.
    if process.returncode is None and not (number in FROM_TERMINAL and _is_in_front_of_terminal()):
        process.send_signal(number)


def _is_in_front_of_terminal() -> bool:
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)
