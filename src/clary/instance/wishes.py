"""What the engine wishes of a running agent: a file that says it, and a fifo that makes the agent look.

The file is the truth, so that a wish made before the agent listens, or while the platform restarts, is not lost.
"""

import contextlib
import os
from typing import Literal

from clary.files import write_atomically
from clary.instance.errors import StopAsked
from clary.instance.layout import Layout

Wish = Literal["", "stop", "kill"]
"""`stop` gives the program its grace and keeps its outputs; `kill` does neither."""


def express(layout: Layout, wish: Wish) -> None:
    write_atomically(layout["stop"], wish)
    # No reader: the agent does not listen yet and will look at the file first, or it is gone.
    with contextlib.suppress(OSError):
        fd = os.open(layout["wake"], os.O_WRONLY | os.O_NONBLOCK)
        try:
            os.write(fd, b".")
        finally:
            os.close(fd)


class Wishes:
    """The agent's side. Poll `fd`; when it is readable, `drain` and look at `current`."""

    def __init__(self, layout: Layout) -> None:
        self._path = layout["stop"]
        # Open for writing too, so that the fifo never reads as closed.
        self.fd = os.open(layout["wake"], os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, 4096):
                pass

    def current(self) -> Wish:
        try:
            with open(self._path, encoding="utf-8") as file:
                return "kill" if file.read() == "kill" else "stop"
        except FileNotFoundError:
            return ""

    def check(self) -> None:
        """Raise `StopAsked` where there is any wish: for the phases before the program."""
        if os.path.exists(self._path):
            raise StopAsked
