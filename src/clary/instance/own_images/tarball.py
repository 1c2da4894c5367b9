"""Reading a layer's tar archive, which may be hostile: no more than so many bytes, forwards only, digest checked.

file → digest of the blob → gzip, zstd or nothing → `Tape`: digest of the archive, limit, check → tarfile
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
from collections.abc import Callable, Iterator
from typing import IO

from clary.instance.errors import Refused

CHUNK = 1024 * 1024
LARGEST_HEADER = 16 * CHUNK
"""Bytes of an extended header, which are read at once: names and attributes of one file."""
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
ALWAYS_ALLOWED = 1024**3
MOST_TIMES = 30
"""A layer may unpack to this many times its size, and to 1 GiB in any case. What real layers hold shrinks to a tenth at
the best; zeros shrink to a thousandth."""


def check_digest(path: str, digest: str, check: Callable[[], None]) -> None:
    found = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
            check()
    if f"sha256:{found.hexdigest()}" != digest:
        raise Refused(f"ClientError: the image's blob {digest} is damaged: its digest is sha256:{found.hexdigest()}.")


@contextlib.contextmanager
def unpacked(path: str) -> Iterator[IO[bytes]]:
    """The file, read through what its first bytes say that it is compressed by."""
    # Without a buffer, so that a program that is given the file begins where it is read here.
    with open(path, "rb", buffering=0) as file:
        start = file.read(4)
        file.seek(0)
        if start.startswith(GZIP):
            with gzip.open(file) as opened:
                yield opened  # type: ignore[misc]  # it reads as one
        elif start == ZSTD:
            with _through_zstd(file) as piped:
                yield piped
        else:
            yield file


@contextlib.contextmanager
def _through_zstd(file: IO[bytes]) -> Iterator[IO[bytes]]:
    import subprocess

    try:
        program = subprocess.Popen(["zstd", "-dcq"], stdin=file, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    except FileNotFoundError:
        raise Refused(
            "ClientError: the image has a layer that is compressed by zstd, and this machine has no zstd program: "
            "install it, or push the image with layers that are compressed by gzip."
        ) from None
    with program:
        assert program.stdout
        assert program.stderr
        try:
            yield program.stdout
            words = program.stderr.read().decode(errors="replace").strip()
            if program.wait():
                raise Refused(f"ClientError: the image has a layer that zstd cannot read: {words}")
        finally:
            program.kill()


class Tape:
    """What `tarfile` reads a layer from. `limit` is in bytes of the archive."""

    name = ""

    def __init__(self, source: IO[bytes], limit: int, check: Callable[[], None]) -> None:
        self._source = source
        self._limit = limit
        self._check = check
        self._digest = hashlib.sha256()
        self._read = 0
        self._buffer = b""
        self._at = 0
        """Of `_buffer`: what is before it has been read."""

    def tell(self) -> int:
        return self._read - len(self._buffer) + self._at

    def seek(self, offset: int) -> int:
        if offset < self.tell():
            raise ValueError("the archive goes backwards")
        while offset > self.tell() and self.read(min(offset - self.tell(), CHUNK)):
            pass
        return self.tell()

    def read(self, size: int) -> bytes:
        if size > LARGEST_HEADER:
            raise ValueError(f"a header of {size} bytes")
        while len(self._buffer) - self._at < size and self._more():
            pass
        data = self._buffer[self._at : self._at + size]
        self._at += len(data)
        return data

    def finish(self) -> str:
        """Read what is left after the archive's end; returns the digest of it all."""
        while self._more():
            self._at = len(self._buffer)
        return f"sha256:{self._digest.hexdigest()}"

    def _more(self) -> bool:
        chunk = self._source.read(CHUNK)
        self._digest.update(chunk)
        self._read += len(chunk)
        if self._read > self._limit:
            raise Refused(
                f"ClientError: the image has a layer that unpacks to more than {self._limit / 2**30:.3g} GiB, "
                f"which is more than {MOST_TIMES} times its size."
            )
        self._check()
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return bool(chunk)


def limit_of(path: str) -> int:
    return max(ALWAYS_ALLOWED, MOST_TIMES * os.path.getsize(path))
