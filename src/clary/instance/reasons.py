"""What a program left behind to be told: why it failed, and its last message."""

from __future__ import annotations

import codecs
import os
import signal
import stat

from clary.instance.data.packing import is_plain_directory
from clary.instance.layout import Layout
from clary.instance.report import REASON_LIMIT

FAILURE_FILE = "/opt/ml/output/failure"
MESSAGE_FILE = "/opt/ml/output/message"
USER_MISTAKE = "ClientError: "
MESSAGE_LIMIT = 1024
"""Bytes."""


def algorithm_error(layout: Layout, exit_code: int, tail: list[bytes], seen: str = "") -> str:
    """`seen` is what the agent itself knows of the cause; it says more than what the program could still print."""
    code = 128 - exit_code if exit_code < 0 else exit_code
    ending = f", exit code: {code}"
    room = REASON_LIMIT - len("AlgorithmError: ") - len(ending)
    text = seen or failure(layout)[:room] or last_lines(tail, room) or _bare(exit_code)
    return f"AlgorithmError: {text}{ending}"


def user_mistake(layout: Layout, exit_code: int) -> str:
    """What a program that knows whose mistake it was says of the user's; empty where it was not the user's."""
    ending = f", exit code: {exit_code}"
    text = failure(layout)[: REASON_LIMIT - len(ending)]
    return text + ending if text.startswith(USER_MISTAKE) else ""


def failure(layout: Layout) -> str:
    return _left(layout, FAILURE_FILE, REASON_LIMIT).decode(errors="replace").strip()


def message(layout: Layout) -> str:
    """Raises `UnicodeDecodeError`. A character that the limit cuts in half is left out."""
    left = _left(layout, MESSAGE_FILE, MESSAGE_LIMIT)
    return codecs.getincrementaldecoder("utf-8")().decode(left, final=len(left) < MESSAGE_LIMIT)


def _left(layout: Layout, path: str, limit: int) -> bytes:
    """The first bytes of a file in the program's view; empty where there is none."""
    path = layout.host(path)
    if not is_plain_directory(os.path.dirname(path), layout.root):
        return b""
    try:
        # The program wrote it: it may be a link out of its directory, or a fifo that nobody feeds.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return b""
    with open(fd, "rb") as file:
        return file.read(limit) if stat.S_ISREG(os.fstat(fd).st_mode) else b""


def last_lines(tail: list[bytes], room: int) -> str:
    """The most whole lines from the end that fit; the end of the last one where not even that does."""
    lines = [line.decode(errors="replace").rstrip() for line in tail]
    while len(lines) > 1 and sum(map(len, lines)) + len(lines) - 1 > room:
        del lines[0]
    return "\n".join(lines).strip()[-room:]


def _bare(exit_code: int) -> str:
    if exit_code < 0:
        return f"the program was ended by {signal.Signals(-exit_code).name}"
    return "the program ended without a word on its error output"
