"""The process that transforms, beside the model server: who starts it, and what it says at its end.

    the program starts ─▶ beside it this process: `running` ─▶ its word, an alarm that ends the program

It reads what the platform stores and so keeps the agent's rights; it ends with the program, and with the agent.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from dataclasses import replace

from clary.instance.data.held import hold
from clary.instance.layout import Layout
from clary.instance.processes import chain, close_all_but, die_with_parent
from clary.instance.program import Command
from clary.instance.report import Report
from clary.instance.spec import Transform
from clary.instance.wishes import express

DONE = b"\0"
LONGEST_REASON = 1024


def others_of(layout: Layout, transform: Transform) -> list[Layout]:
    """Of the instances that answers go through."""
    return [Layout(f"{os.path.dirname(layout.root)}/{instance_id}") for instance_id in transform.through]


class Transforming:
    def __init__(self, layout: Layout, transform: Transform, check: Callable[[], None]) -> None:
        self._layout = layout
        self._said, self._say = os.pipe()
        os.set_blocking(self._said, False)
        self._alarms = [self._said]
        os.makedirs(layout["feed"], exist_ok=True)
        held = [hold(item, f"{layout['feed']}/{number}", check) for number, item in enumerate(transform.items)]
        self._transform = replace(transform, items=held)

    def accompany(self, command: Command) -> Command:
        return replace(command, beside=chain(command.beside, self._start), alarms=self._alarms)

    def reason(self) -> str:
        """Once it has ended: a line that says why it failed; empty where it did not."""
        try:
            said = os.read(self._said, LONGEST_REASON).rstrip(DONE).decode(errors="replace")
        except BlockingIOError:
            said = "InternalServerError: what gives the objects to the model was killed."
        return f"{said}\n" if said else ""

    def dismiss(self) -> None:
        """It is over: the instances that it went through are needed no more."""
        for layout in others_of(self._layout, self._transform):
            # It may be gone already.
            with contextlib.suppress(FileNotFoundError):
                express(layout, "stop")

    def _start(self) -> None:
        pid = os.fork()
        if pid == 0:
            try:
                close_all_but({0, 1, 2, self._say})
                die_with_parent()
                self._run()
            finally:
                os._exit(1)
        # Where it is killed, too, the program has to end.
        self._alarms.append(os.pidfd_open(pid))

    def _run(self) -> None:
        """Until it is killed: its end must not be heard before its word."""
        from clary.instance.transform.running import Running

        try:
            reason = Running(self._layout, self._transform, Report(self._layout).log.say).work()
        except Exception as error:
            reason = f"InternalServerError: {type(error).__name__}: {error}"
        os.write(self._say, reason.encode()[:LONGEST_REASON] or DONE)
        while True:
            signal.pause()
