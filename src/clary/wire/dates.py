"""The three ways in which times are written on the wire's own headers.

`20260131T235959Z` in signatures, `Sat, 31 Jan 2026 23:59:59 GMT` in HTTP, `2026-01-31T23:59:59Z` in errors.
"""

import calendar
import re
import time
from email.utils import formatdate, parsedate_to_datetime
from functools import lru_cache

_AMZ = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z", re.ASCII)


@lru_cache(maxsize=4)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


def http_date(now: float) -> str:
    return _http_date(int(now))


@lru_cache(maxsize=256)
def parse_amz_date(text: str) -> int:
    """Epoch seconds of `20260131T235959Z`; raises `ValueError`."""
    match = _AMZ.fullmatch(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 basic date: {text!r}")
    parts = tuple(int(part) for part in match.groups())
    epoch = calendar.timegm(parts)
    if time.gmtime(epoch)[:6] != parts:
        raise ValueError(f"no such date: {text!r}")
    return epoch


def amz_date(now: float) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))


def iso_date(now: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))


def amz_date_of_http_date(text: str) -> str:
    """A `Date` header as signatures write it; raises `ValueError`."""
    return amz_date(parsedate_to_datetime(text).timestamp())
