"""Downloads of objects that are not on this disk: several at once, retried, gone on with where they broke off.

What came is compared with its size and, where S3 tells the MD5 of its bytes (an ETag of 32 digits, unless a key of KMS
was used), with that.
"""

from __future__ import annotations

import hashlib
import http.client
import re
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from typing import BinaryIO

from clary.instance.data.transfer import CHUNK, TIMEOUT, GaveUp, Seldom, persist
from clary.instance.errors import Refused
from clary.instance.spec import Source

AT_ONCE = 8
PATIENCE = 600.0
"""Seconds in which it came no further, after which a download is given up."""
LOOK = 0.2
"""Seconds between two calls of `check` while the downloads run."""
_MD5 = re.compile(r'"[0-9a-f]{32}"')


def fetch_all(
    sources: dict[str, Source], check: Callable[[], None], say: Callable[[str], None] = lambda _: None
) -> None:
    """Download path → source. The first error, or an exception from `check`, ends all of them. `say` is told now and
    then when some have to wait."""
    pool, seldom = ThreadPoolExecutor(AT_ONCE), Seldom(say)
    pending = {pool.submit(fetch, source, path, seldom) for path, source in sources.items()}
    try:
        while pending:
            finished, pending = wait(pending, timeout=LOOK, return_when=FIRST_EXCEPTION)
            for future in finished:
                future.result()
            check()
    finally:
        # Not waited for: what is under way may hang as long as the network does, and ends with the agent.
        pool.shutdown(wait=False, cancel_futures=True)


def fetch(source: Source, path: str, say: Callable[[str], None] = lambda _: None) -> None:
    def waits(reason: str) -> None:
        say(f"The download of {source.name} waits: {reason}.")

    try:
        with open(path, "wb") as file:
            download = _Download(source, file)
            persist(download.go_on, download.patience, waits)
    except GaveUp as error:
        raise Refused(f"ClientError: Data download failed: {source.name}: {error}.") from None
    except OSError as error:
        raise Refused(f"ClientError: Data download failed: {source.name}: {error.strerror or error}.") from None


class _Download:
    def __init__(self, source: Source, file: BinaryIO) -> None:
        self._source = source
        self._file = file
        self._size, self._md5 = 0, hashlib.md5(usedforsecurity=False)
        self._etag = ""
        self._furthest = self._mismatches = 0
        self._longest_wait = PATIENCE
        self._heard = time.monotonic()

    def patience(self) -> float:
        return self._heard + self._longest_wait - time.monotonic()

    def go_on(self) -> None:
        request = urllib.request.Request(self._source.location)
        if self._size and self._etag:
            request.add_header("Range", f"bytes={self._size}-")
            # All of it, where the object is another one by now.
            request.add_header("If-Range", self._etag)
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
            if self._size and answer.status != http.client.PARTIAL_CONTENT:
                self._begin_again()
            self._etag = answer.headers.get("ETag", "")
            whole = self._size + int(answer.headers.get("Content-Length", 0))
            encrypted = answer.headers.get("x-amz-server-side-encryption", "")
            while chunk := answer.read(CHUNK):
                self._take(chunk)
        if "Content-Length" in answer.headers and self._size < whole:
            raise http.client.HTTPException(f"{self._size} bytes of {whole} came")
        self._verify(plain="kms" not in encrypted)

    def _begin_again(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._size = 0
        self._md5 = hashlib.md5(usedforsecurity=False)

    def _take(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self._md5.update(chunk)
        self._size += len(chunk)
        if self._size > self._furthest:
            self._furthest, self._heard = self._size, time.monotonic()

    def _verify(self, *, plain: bool) -> None:
        expected, etag = self._source.size, self._etag
        if expected and self._size != expected:
            raise GaveUp(f"{self._size} bytes of {expected} came")
        if plain and _MD5.fullmatch(etag) and self._md5.hexdigest() != etag.strip('"'):
            self._mismatches += 1
            self._etag = ""
            wrong = "what came does not have the MD5 of what is stored"
            raise http.client.HTTPException(wrong) if self._mismatches == 1 else GaveUp(wrong)
