"""Blobs on their way in: files that grow at their end, by as many requests as a client likes.

    append: file, and its SHA-256 beside it ─▶ append … ─▶ taken by the object store, or discarded

A file's size is the offset at which its sender goes on, also after the platform was killed. The running digest is kept
in memory between requests; where it was lost, what is there is hashed again. Functions block; one thread uses an upload
at a time.
"""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from clary.registry.errors import UploadUnknown

SLICE = 1 << 20
"""Bytes that are written at once; no more than two slices of an upload are in memory."""


class Upload:
    """An open one."""

    def __init__(self, path: Path, digest: Any, size: int) -> None:
        self.path = path
        self.size = size
        self.digest = digest
        self._file = path.open("ab", buffering=0)

    def write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.digest.update(data)
        self.size += len(data)

    def close(self) -> None:
        self._file.close()


class Uploads:
    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
        self._digests: dict[str, tuple[int, Any]] = {}
        """Size and SHA-256 of what came so far, by upload."""
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def path(self, upload: str) -> Path:
        return self._root / upload

    def turn(self, upload: str) -> asyncio.Lock:
        """Held by the one request that works on an upload; a sender that comes back may be quicker than the end of its
        first connection is noticed."""
        return self._turns.setdefault(upload, asyncio.Lock())

    def start(self, upload: str) -> None:
        self.path(upload).touch(exist_ok=False)

    def size(self, upload: str) -> int:
        """Raises `UploadUnknown`."""
        try:
            return self.path(upload).stat().st_size
        except FileNotFoundError:
            raise UploadUnknown(f"there is no upload {upload}") from None

    def open(self, upload: str) -> Upload:
        """To go on with it. Raises `UploadUnknown`."""
        size = self.size(upload)
        hashed, digest = self._digests.pop(upload, (0, None))
        if digest is None or hashed != size:
            with self.path(upload).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256")
        return Upload(self.path(upload), digest, size)

    def keep(self, upload: str, opened: Upload) -> None:
        """Remember the digest of one whose last write went well."""
        opened.close()
        self._digests[upload] = opened.size, opened.digest

    def discard(self, upload: str) -> None:
        self._digests.pop(upload, None)
        self.path(upload).unlink(missing_ok=True)

    def untouched(self, before: float) -> list[str]:
        """Uploads that got nothing since."""
        found = []
        for entry in os.scandir(self._root):
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < before:
                    found.append(entry.name)
        return found

    async def receive(self, upload: str, chunks: AsyncIterable[bytes]) -> int:
        """Append what comes; the new size. Where the sender goes away, what came is kept."""
        opened = await asyncio.to_thread(self.open, upload)
        waiting: list[bytes] = []
        size = 0
        writing: asyncio.Future[None] | None = None
        try:
            async for chunk in chunks:
                waiting.append(chunk)
                size += len(chunk)
                if size >= SLICE:
                    if writing is not None:
                        await asyncio.shield(writing)
                    writing = asyncio.ensure_future(asyncio.to_thread(opened.write, b"".join(waiting)))
                    waiting, size = [], 0
        finally:
            await asyncio.shield(asyncio.ensure_future(self._end(upload, opened, writing, b"".join(waiting))))
        return opened.size

    async def _end(self, upload: str, opened: Upload, writing: "asyncio.Future[None] | None", last: bytes) -> None:
        try:
            if writing is not None:
                await writing
            await asyncio.to_thread(opened.write, last)
        except BaseException:
            opened.close()
            raise
        self.keep(upload, opened)
