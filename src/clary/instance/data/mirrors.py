"""Directories whose files are stored while the program runs: checkpoints, and outputs that are uploaded continuously.

    program runs      a look each second ─▶ new or changed, and still for a while ─▶ POST to S3
    it has ended      a last look ─▶ all that is not stored yet, tried again for as long as outputs are

One thread does all of it, and the agent's own goes on beside. What is deleted stays stored. A file that changes while
it is sent is not stored so: the end of the request is held back until the file is known to be the same. What lay in a
directory before the program ran came from where it is stored.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import BinaryIO, NamedTuple

from clary.instance.data.transfer import CHUNK, TIMEOUT, GaveUp, Seldom, persist
from clary.instance.data.upload import PATIENCE, opener
from clary.instance.errors import Refused, StopAsked
from clary.instance.layout import VIEW, Layout
from clary.instance.spec import Mirror

INTERVAL = 1.0
"""Seconds between two looks, and at least ten times as long as a look takes."""
STILL = 2.0
"""Seconds for which a file has to be the same before it is sent, while the program may still write to it."""
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Stamp(NamedTuple):
    """What tells two states of a file apart."""

    inode: int
    size: int
    modified: int
    changed: int
    """Also of a file that was given an older time."""

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        return cls(status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Changed(Exception):
    """A file is not what it was when the look at it began."""


class Mirrors:
    """All of one instance. `check` may raise `StopAsked`, from any thread, to end it all."""

    def __init__(
        self, mirrors: list[Mirror], layout: Layout, check: Callable[[], None], say: Callable[[str], None]
    ) -> None:
        self._places = [_Place(mirror, layout, check) for mirror in mirrors]
        self._check = check
        self._say = say
        self._ended = threading.Event()
        self._failure = ""
        self._thread = threading.Thread(target=self._work, name="mirrors", daemon=True)

    def start(self) -> None:
        """When the program has been started: a process with threads had better not fork."""
        if self._places:
            self._thread.start()

    def finish(self) -> None:
        """When nothing writes any more: return once everything is stored. Raises `Refused` where that cannot be."""
        self._ended.set()
        while self._thread.is_alive():
            self._check()
            self._thread.join(0.1)
        if self._failure:
            raise Refused(self._failure)

    def _work(self) -> None:
        with contextlib.suppress(StopAsked):
            self._follow()
            for place in self._places:
                try:
                    self._settle(place)
                except (OSError, GaveUp) as error:
                    self._failure = f"ClientError: Failed to upload artifacts: {place}: {error}."

    def _follow(self) -> None:
        seldom, pause = Seldom(self._say), INTERVAL
        while not self._ended.wait(pause):
            began = time.monotonic()
            for place in self._places:
                self._look(place, seldom)
            pause = max(INTERVAL, 10 * (time.monotonic() - began))

    def _look(self, place: _Place, say: Callable[[str], None]) -> None:
        for name in place.due():
            if self._ended.is_set():
                return
            try:
                place.send(name, lambda: 0.0, lambda _: None)
            except (OSError, GaveUp) as error:
                say(f"{place.directory}/{name} is not stored yet: {error}.")

    def _settle(self, place: _Place) -> None:
        until = time.monotonic() + PATIENCE

        def waits(reason: str) -> None:
            self._say(f"The upload of {place.directory} waits: {reason}.")

        for name in place.unstored():
            place.send(name, lambda: until - time.monotonic(), waits)


class _Place:
    """One directory, and what of it is stored."""

    def __init__(self, mirror: Mirror, layout: Layout, check: Callable[[], None]) -> None:
        self.directory = mirror.directory.rstrip("/")
        self._mirror = mirror
        self._root = layout["ml"]
        self._below = os.path.relpath(self.directory, VIEW)
        self._check = check
        self._seen: dict[str, tuple[Stamp, float]] = {}
        """Of files that are not stored so: how they were last seen, and since when they are so."""
        self._stored = dict(self._files())

    def __str__(self) -> str:
        return f"{self.directory} to {self._mirror.url}/{self._mirror.prefix}"

    def due(self) -> list[str]:
        """The names of files that are not stored as they are, and have not changed for a while."""
        now, seen = time.monotonic(), self._seen
        self._seen = {}
        for name, stamp in self._files():
            if self._stored.get(name) != stamp:
                known = seen.get(name)
                self._seen[name] = known if known and known[0] == stamp else (stamp, now)
        return [name for name, (_, since) in self._seen.items() if now - since >= STILL]

    def unstored(self) -> list[str]:
        return [name for name, stamp in self._files() if self._stored.get(name) != stamp]

    def send(self, name: str, patience: Callable[[], float], say: Callable[[str], None]) -> None:
        """Store one file. Nothing is done where it changes meanwhile, or is gone."""
        with contextlib.suppress(Changed, FileNotFoundError):
            self._stored[name] = persist(lambda: self._post(name), patience, say)

    def _post(self, name: str) -> Stamp:
        with open(self._open(f"{self._below}/{name}", FILE), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Changed
            stamp, boundary = Stamp.of(status), secrets.token_hex(16)
            fields = {**self._mirror.fields, "key": f"{self._mirror.prefix}{name}"}
            head, tail = _head(fields, boundary), f"\r\n--{boundary}--\r\n".encode()
            headers = {
                "Content-Length": str(len(head) + stamp.size + len(tail)),
                "Content-Type": f"multipart/form-data; boundary={boundary}",
            }
            body = self._body(head, file, stamp, tail)
            request = urllib.request.Request(self._mirror.url, body, headers, method="POST")
            with opener().open(request, timeout=TIMEOUT) as answer:
                answer.read()
            return stamp

    def _body(self, head: bytes, file: BinaryIO, stamp: Stamp, tail: bytes) -> Iterator[bytes]:
        yield head
        left = stamp.size
        while left:
            self._check()
            piece = file.read(min(left, CHUNK))
            if not piece:
                raise Changed
            left -= len(piece)
            yield piece
        if Stamp.of(os.fstat(file.fileno())) != stamp:
            raise Changed
        yield tail

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        """Every regular file below; links and all else are passed over."""
        pending = [""]
        while pending:
            above = pending.pop()
            try:
                directory = self._open(f"{self._below}/{above}", DIRECTORY)
            except OSError:
                continue
            try:
                with os.scandir(directory) as entries:
                    for entry in entries:
                        name = f"{above}{entry.name}"
                        if entry.is_dir(follow_symlinks=False):
                            pending.append(f"{name}/")
                        elif entry.is_file(follow_symlinks=False):
                            with contextlib.suppress(FileNotFoundError):
                                yield name, Stamp.of(entry.stat(follow_symlinks=False))
            finally:
                os.close(directory)

    def _open(self, path: str, flags: int) -> int:
        """Step by step: the program may put a link in the place of any directory at any time."""
        *above, last = [part for part in path.split("/") if part]
        fd = os.open(self._root, DIRECTORY)
        try:
            for part in above:
                fd, outer = os.open(part, DIRECTORY, dir_fd=fd), fd
                os.close(outer)
            return os.open(last, flags, dir_fd=fd)
        finally:
            os.close(fd)


def _head(fields: dict[str, str], boundary: str) -> bytes:
    """All of the form before the bytes of its file, which come last."""
    before = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{before}"{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    file = f'{before}"file"; filename="file"\r\nContent-Type: binary/octet-stream\r\n\r\n'
    return "".join([*parts, file]).encode(errors="surrogateescape")
