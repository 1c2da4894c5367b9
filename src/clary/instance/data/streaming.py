"""The bytes of an object that is not on this disk, as they come: nothing is kept; what breaks off is gone on with."""

from __future__ import annotations

import http.client
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse

from clary.instance.data.fetch import PATIENCE
from clary.instance.data.transfer import BACKOFF, CHUNK, TIMEOUT, GaveUp, persist
from clary.instance.errors import Refused
from clary.instance.spec import Source


def stream(source: Source) -> Iterator[bytes]:
    """Raises `Refused` where it is not to be had, or became another object on the way."""
    try:
        yield from _Stream(source).chunks()
    except GaveUp as error:
        raise Refused(f"ClientError: Data download failed: {source.name}: {error}.") from None


class _Stream:
    def __init__(self, source: Source) -> None:
        self._location = source.location
        self._whole: int | None = source.size or None
        self._came = 0
        self._etag = ""
        self._heard = time.monotonic()

    def chunks(self) -> Iterator[bytes]:
        while True:
            answer = persist(self._open, self._patience, lambda _reason: None)
            with answer:
                try:
                    while chunk := answer.read(CHUNK):
                        self._came += len(chunk)
                        yield chunk
                        # Also a program that takes its time is no reason to give up.
                        self._heard = time.monotonic()
                except (http.client.HTTPException, OSError) as error:
                    if self._patience() < 0:
                        raise GaveUp(str(error) or type(error).__name__) from None
            if self._whole is None or self._came >= self._whole:
                break
            time.sleep(BACKOFF)
        if self._whole is not None and self._came != self._whole:
            raise GaveUp(f"{self._came} bytes of {self._whole} came")

    def _patience(self) -> float:
        return self._heard + PATIENCE - time.monotonic()

    def _open(self) -> HTTPResponse:
        request = urllib.request.Request(self._location)
        if self._came:
            request.add_header("Range", f"bytes={self._came}-")
            if self._etag:
                request.add_header("If-Range", self._etag)
        answer: HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT)
        if self._came and answer.status != http.client.PARTIAL_CONTENT:
            answer.close()
            raise GaveUp("it is another object than the one whose beginning was read")
        self._etag = answer.headers.get("ETag", "")
        if self._whole is None and "Content-Length" in answer.headers:
            self._whole = self._came + int(answer.headers["Content-Length"])
        return answer
