"""Outputs to where they are stored: one PUT of a file, which is at its place whole or not at all.

Done again as often as it takes: what a long run made is not given up because the platform is away for a while.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import os
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from clary.instance.data.transfer import CHUNK, TIMEOUT, GaveUp, persist
from clary.instance.errors import Refused

PATIENCE = 3600.0
"""Seconds since the first attempt, in which the store may be away."""


def upload(path: str, url: str, check: Callable[[], None], say: Callable[[str], None]) -> int:
    """PUT the file to `url`; returns its size. `check` may raise to end it; `say` is told when it has to wait."""
    name, until = os.path.basename(path), time.monotonic() + PATIENCE

    def attempt() -> int:
        check()
        return _put(path, url, check)

    def waits(reason: str) -> None:
        say(f"The upload of {name} waits: {reason}.")

    try:
        return persist(attempt, lambda: until - time.monotonic(), waits)
    except GaveUp as error:
        raise Refused(f"ClientError: Failed to upload artifacts: {name}: {error}.") from None


def opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Plain, _Encrypted)


def _put(path: str, url: str, check: Callable[[], None]) -> int:
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        headers = {
            "Content-Length": str(size),
            "Content-MD5": _md5(file, check),
            # urllib says that it is a form, where nothing is said.
            "Content-Type": "binary/octet-stream",
        }
        request = urllib.request.Request(url, _pieces(file, check), headers, method="PUT")
        with opener().open(request, timeout=TIMEOUT) as answer:
            answer.read()
        return size


def _md5(file: BinaryIO, check: Callable[[], None]) -> str:
    import hashlib

    digest = hashlib.md5(usedforsecurity=False)
    for piece in _pieces(file, check):
        digest.update(piece)
    return base64.b64encode(digest.digest()).decode()


def _pieces(file: BinaryIO, check: Callable[[], None]) -> Iterator[bytes]:
    file.seek(0)
    while piece := file.read(CHUNK):
        check()
        yield piece


class _Listening:
    """A connection that still reads the answer where the server refused the body and closed: it says why."""

    def send(self, data: Any) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            super().send(data)  # type: ignore[misc]  # of the connection that it is mixed into


class _PlainConnection(_Listening, http.client.HTTPConnection):
    pass


class _EncryptedConnection(_Listening, http.client.HTTPSConnection):
    pass


class _Plain(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PlainConnection, request)


class _Encrypted(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_EncryptedConnection, request)
