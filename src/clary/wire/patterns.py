"""The models' patterns, which are Java's regular expressions, as Python can match them.

The `regex` library knows Java's Unicode properties (`\\p{L}`) and gives up on a match that takes too long;
the standard library does neither.
"""

import re
from functools import cache, lru_cache

import regex

TIME_LIMIT = 0.1
"""Seconds for one match. Some of the published patterns backtrack without end on a hostile value."""

REMEMBERED_LENGTH = 256
"""Up to this length, answers are kept: names, ARNs and content types come again with every call."""

TOKEN = re.compile(
    r"\\u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})"
    r"|\\[pP]\{\w+\}|\\.|\$\{\d+,\d+\}|.",
    re.DOTALL,
)

ASCII_CLASSES = {
    r"\w": "a-zA-Z0-9_",
    r"\d": "0-9",
    r"\s": r" \t\n\x0b\f\r",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{Print}": r"\x20-\x7e",
}
"""Java's predefined classes, which hold ASCII only where Python's hold all of Unicode."""


def matches(pattern: str, text: str) -> bool:
    """Whether the whole of `text` matches, as `String.matches` does in Java, within the time limit."""
    return _remembered(pattern, text) if len(text) <= REMEMBERED_LENGTH else _match(pattern, text)


def _match(pattern: str, text: str) -> bool:
    try:
        return _compile(pattern).fullmatch(text, timeout=TIME_LIMIT) is not None
    except TimeoutError:
        return False


_remembered = lru_cache(maxsize=4096)(_match)


@cache
def _compile(pattern: str) -> "regex.Pattern[str]":
    return regex.compile(translate(pattern))


def translate(pattern: str) -> str:
    """The same pattern in Python's syntax."""
    out: list[str] = []
    in_class = False
    after_class = False
    for match in TOKEN.finditer(pattern):
        token = match[0]
        ranges = ASCII_CLASSES.get(token)
        if ranges is not None:
            token = ranges if in_class else f"[{ranges}]"
        elif match["high"]:
            token = _code_point(match["high"], match["low"])
        elif token.startswith("${"):
            # "The end, up to 128 times": Java takes it for the end.
            token = "$"
        elif token == r"\z":
            token = r"\Z"
        elif token == "-" and in_class and after_class:
            # A class inside brackets cannot begin a range.
            token = r"\-"
        elif token in "[]":
            in_class = token == "["
        after_class = ranges is not None
        out.append(token)
    return "".join(out)


def _code_point(high: str, low: str) -> str:
    """A surrogate pair, as Java writes what lies beyond U+FFFF."""
    return f"\\U{0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00:08x}"
