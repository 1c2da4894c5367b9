"""Regular expressions between percent signs, within what CloudWatch Logs documents of them.

Without parentheses quantifiers cannot nest, but several in a row still take long on a long line: a search has a time
limit.
"""

import re
import time
from collections.abc import Callable

import regex

from clary.services.logs.patterns.scanner import Scanner
from clary.services.logs.requests import invalid

MOST = 2
"""Regular expressions in one pattern."""
SECONDS = 0.2
"""That one may take on one event."""
SECONDS_IN_ALL = 10.0
"""That one may take on all events of a search."""

_BETWEEN_SIGNS = re.compile(r"%([^%]+)%")
_ALLOWED = re.compile(r"[A-Za-z0-9 :_#=@/;,\-^$?\[\]{}|\\*+.]+")


def read_expression(scanner: Scanner) -> Callable[[str], bool] | None:
    """A test of a text, where a regular expression is next."""
    found = scanner.match(_BETWEEN_SIGNS)
    if found is None:
        return None
    scanner.expressions += 1
    if scanner.expressions > MOST:
        raise scanner.refuse(f"more than {MOST} regular expressions")
    if not _ALLOWED.fullmatch(found[1]):
        raise scanner.refuse(f"{found[1]} has characters that a regular expression must not have here")
    try:
        compiled = regex.compile(found[1], regex.ASCII)
    except regex.error as error:
        raise scanner.refuse(f"{found[1]} is no regular expression ({error})") from None

    return _limited(found[1], compiled)


def _limited(text: str, compiled: "regex.Pattern[str]") -> Callable[[str], bool]:
    left = SECONDS_IN_ALL

    def matches(event: str) -> bool:
        nonlocal left
        began = time.monotonic()
        try:
            # Texts do not change, so other threads may run meanwhile: the event loop is one.
            found = compiled.search(event, timeout=min(SECONDS, left), concurrent=True) is not None
        except TimeoutError:
            raise invalid(f"The filter pattern %{text}% takes too long on the events of this log group.") from None
        left = max(0.001, left - (time.monotonic() - began))
        return found

    return matches
