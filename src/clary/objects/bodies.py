"""Bodies as immutable files, each under a random name that says nothing of its key.

    chunks ─▶ incoming/<id> ─fsync─▶ rename ─▶ <id[:2]>/<id> ─fsync of the directory─▶ commit of its row

    small: a row ─▶ made/<boot>/<id> where a file is needed (see `small.py`)

A body that no row names is not there, so a crash at any instant leaves whole objects and at most orphans,
which `sweep` removes after the next start. Files are never written again: jobs may hard-link them.
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from clary.objects.small import is_small

COPY_STEP = 64 << 20


class Extent(NamedTuple):
    """A range of bytes of a stored body."""

    body: str
    offset: int
    size: int


class Bodies:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        for number in range(256):
            (root / f"{number:02x}").mkdir(exist_ok=True)
        self._made = _of_this_boot(root / "made")
        os.utime(root)
        self._opened = root.stat().st_ctime  # by the file system's clock, which lags behind the other

    def path(self, body: str) -> Path:
        return (self._made if is_small(body) else self._root / body[:2]) / body

    def start(self) -> "Incoming":
        return Incoming(self, self._incoming / uuid4().hex)

    def place(self, path: Path) -> str:
        """Take a file whose content has reached the disk; its new name is durable when this returns."""
        body = uuid4().hex
        target = self.path(body)
        os.rename(path, target)
        _flush(target.parent)
        return body

    def adopt(self, path: Path) -> str:
        """Take a foreign file: by another link where it lies on this file system, else by a copy."""
        if not stat.S_ISREG(path.lstat().st_mode):
            raise ValueError(f"{path} is not a regular file")  # a link could name any file of the platform's
        incoming = self._incoming / uuid4().hex
        try:
            os.link(path, incoming)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EPERM, errno.EMLINK):
                raise
            shutil.copyfile(path, incoming)
        incoming.chmod(0o644)
        _flush(incoming)
        return self.place(incoming)

    def make(self, body: str, content: bytes) -> None:
        """A file of a small body, which its row outlives: nobody waits for the disk."""
        path = self._incoming / uuid4().hex
        path.write_bytes(content)
        os.rename(path, self.path(body))

    def concatenate(self, extents: Iterable[Extent]) -> str:
        """A new body of ranges of others, copied inside the kernel (shared where the file system can)."""
        incoming = self.start()
        try:
            for extent in extents:
                incoming.append(self.path(extent.body), extent.offset, extent.size)
            return incoming.place()
        except BaseException:
            incoming.discard()
            raise

    def read(self, extent: Extent, step: int) -> Iterator[bytes]:
        """A range of a body, in pieces."""
        with self.path(extent.body).open("rb", buffering=0) as file:
            for offset in range(extent.offset, extent.offset + extent.size, step):
                yield os.pread(file.fileno(), min(step, extent.offset + extent.size - offset), offset)

    def remove(self, body: str) -> None:
        self.path(body).unlink(missing_ok=True)

    def sweep(self, named: Callable[[str], set[str]]) -> int:
        """Remove what an earlier process left: files from before this opening that no row names.

        `named` gives the names in use that begin with two given hexadecimal digits.
        """
        removed = _remove(self._incoming, self._old_in(self._incoming))
        for directory in (self._made, *(self._root / f"{number:02x}" for number in range(256))):
            old = self._old_in(directory)
            for prefix in {name[:2] for name in old}:
                old -= named(prefix)
            removed += _remove(directory, old)
        return removed

    def _old_in(self, directory: Path) -> set[str]:
        """Files from before this opening; uploads place theirs meanwhile. The change time, unlike the modification
        time, is also set by the rename that brings a file here."""
        old = set()
        with os.scandir(directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.stat().st_ctime < self._opened:
                        old.add(entry.name)
        return old


class Incoming:
    """A body that is being written; nobody sees it before `place`."""

    def __init__(self, bodies: Bodies, path: Path) -> None:
        self._bodies = bodies
        self._path = path
        self._file = path.open("x+b", buffering=0)
        self._placed: str | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(data)

    def append(self, source: Path, offset: int, size: int) -> None:
        with source.open("rb") as file:
            left = size
            while left:
                at = offset + size - left
                copied = os.copy_file_range(file.fileno(), self._file.fileno(), min(left, COPY_STEP), at)
                if not copied:
                    raise EOFError(f"{source} ends {left} bytes early")
                left -= copied
        self.size += size

    def content(self, step: int) -> Iterator[bytes]:
        """What was written so far, in pieces."""
        for offset in range(0, self.size, step):
            yield os.pread(self._file.fileno(), step, offset)

    def place(self) -> str:
        os.fsync(self._file.fileno())
        self._file.close()
        self._placed = self._bodies.place(self._path)
        return self._placed

    def discard(self) -> None:
        """Remove it, placed or not."""
        self._file.close()
        if self._placed:
            self._bodies.remove(self._placed)
        self._path.unlink(missing_ok=True)


def _of_this_boot(directory: Path) -> Path:
    """A part of `directory` that ends with the kernel's life. What was not flushed outlives every process, but may be
    torn once the kernel is gone."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    (directory / boot).mkdir(parents=True, exist_ok=True)
    for other in directory.iterdir():
        if other.name != boot:
            shutil.rmtree(other)
    return directory / boot


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(directory: Path, names: set[str]) -> int:
    for name in names:
        (directory / name).unlink(missing_ok=True)
    return len(names)
