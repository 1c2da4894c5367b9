"""What downloads and uploads share: which failures pass, how long to wait for that, and what is said of the others.

The platform may be away for a while, as when it is being updated, and a job of many hours must not be lost by that.
"""

from __future__ import annotations

import http.client
import re
import time
import urllib.error
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

BACKOFF = 0.5
"""Seconds before the second attempt; doubled for each further one."""
LONGEST_PAUSE = 15.0
TIMEOUT = 60.0
"""Seconds in which nothing at all comes or goes, after which an attempt has failed."""
CHUNK = 1024 * 1024
PASSING = (408, 429)
"""Of the statuses below 500: the server says that a later attempt may do better."""
_SAID = re.compile(r"<Code>([^<]*)</Code>.*?<Message>([^<]*)</Message>", re.DOTALL)


class GaveUp(Exception):
    """It cannot be done. The argument is why."""


class Seldom:
    """Passes on what is said, but no more often than the longest pause: many files wait for the same thing."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._due = 0.0

    def __call__(self, text: str) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + LONGEST_PAUSE
            self._say(text)


def persist(attempt: Callable[[], T], patience: Callable[[], float], say: Callable[[str], None]) -> T:
    """What `attempt` returns, tried again while it fails for reasons that may pass and `patience` seconds are left.
    Raises `GaveUp`. `say` is told of every failure that is not the last."""
    pause = BACKOFF
    while True:
        try:
            return attempt()
        except urllib.error.HTTPError as error:
            reason = _describe(error)
            if error.code < http.client.INTERNAL_SERVER_ERROR and error.code not in PASSING:
                raise GaveUp(reason) from None
        except http.client.HTTPException as error:
            reason = str(error) or type(error).__name__
        except OSError as error:
            reason = _reason(error)
            if not isinstance(error, (urllib.error.URLError, ConnectionError, TimeoutError)):
                raise GaveUp(reason) from None
        if patience() < pause:
            raise GaveUp(reason)
        say(reason)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


def _reason(error: OSError) -> str:
    """Of an `URLError` what is inside."""
    inside = getattr(error, "reason", error)
    return getattr(inside, "strerror", None) or str(inside) or type(error).__name__


def _describe(error: urllib.error.HTTPError) -> str:
    """In S3's own words, where it says any."""
    with error:
        try:
            said = _SAID.search(error.read(4096).decode(errors="replace"))
        except (OSError, http.client.HTTPException):
            said = None
    return f"{said[1]}: {said[2]} ({error.code})" if said else f"{error.reason} ({error.code})"
