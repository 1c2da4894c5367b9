"""A request's body on its way to the disk, hashed as it passes.

    socket ─chunks─▶ event loop ─slices─▶ worker thread: digests, write ─▶ finish: check, fsync, rename
                                                                      └─▶ small: check, and leave it to the commit

One slice is being received while the one before it is hashed and written, so memory is bounded by two
slices. A body of a single slice costs a single visit to a worker thread.
"""

import asyncio
from collections.abc import AsyncIterable, Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, TypeVar

from clary.objects.bodies import Bodies, Extent, Incoming
from clary.objects.checksums import ALGORITHMS, Digest
from clary.objects.small import LARGEST

SLICE = 1 << 20


@dataclass(frozen=True, slots=True)
class Ingested:
    body: str
    size: int
    etag: str
    checksums: dict[str, str]
    """As the API spells them: `{"ChecksumCRC32": …}`."""
    content: bytes | None = None
    """Of a small body, which has no file, and its name only when the change that keeps it gives it one."""


class Sink:
    """One body being received, and its digests so far. Used by one thread at a time. With `small`, a body of up
    to `LARGEST` bytes is not made a file."""

    def __init__(self, bodies: Bodies, algorithms: set[str], small: bool = False) -> None:
        self._bodies = bodies
        self._small = small
        self._content = b""
        self._file: Incoming | None = None
        self._digests: dict[str, Digest] = {name: ALGORITHMS[name]() for name in {"MD5", *algorithms}}

    def write(self, data: bytes) -> None:
        self._hash(data)
        self._file = self._file or self._bodies.start()
        self._file.write(data)

    def _hash(self, data: bytes) -> None:
        for digest in self._digests.values():
            digest.update(data)

    def digest(self, algorithm: str) -> bytes:
        """Of all that was written; an algorithm that only the trailer named is computed from what was kept."""
        if algorithm not in self._digests:
            self._digests[algorithm] = ALGORITHMS[algorithm]()
            for data in self._file.content(SLICE) if self._file else (self._content,):
                self._digests[algorithm].update(data)
        return self._digests[algorithm].digest()

    def finish(self, data: bytes, settle: "Settle") -> Ingested:
        """Write the last slice, let `settle` judge the digests, and make the body durable, but for a small one."""
        if self._small and self._file is None and len(data) <= LARGEST:
            self._hash(data)
            self._content = data
            return Ingested("", len(data), self.digest("MD5").hex(), settle(self), data)
        self.write(data)
        assert self._file is not None
        checksums = settle(self)
        return Ingested(self._file.place(), self._file.size, self.digest("MD5").hex(), checksums)

    def discard(self) -> None:
        if self._file is not None:
            self._file.discard()


Settle = Callable[[Sink], dict[str, str]]
"""Compares what was received with what was promised, by `Sink.digest`; returns the checksums to keep or raises."""

T = TypeVar("T")
Finish = Callable[[Ingested], Future[T]]
"""Begins to commit what refers to the body, and a small one itself; called on the worker thread that took it in."""


async def ingest(sink: Sink, pool: Executor, chunks: AsyncIterable[bytes], settle: Settle, finish: Finish[T]) -> T:
    """Store a body durably, then do `finish`, whose outcome this returns."""
    running: Future[Any] = Future()
    running.set_result(None)
    waiting: list[bytes] = []
    size = 0
    try:
        async for chunk in chunks:
            waiting.append(chunk)
            size += len(chunk)
            if size >= SLICE:
                await asyncio.wrap_future(running)
                running = pool.submit(sink.write, b"".join(waiting))
                waiting, size = [], 0
        await asyncio.wrap_future(running)
    except BaseException:
        # A slice may still be on its way to the disk: the sink goes when that is over.
        running.add_done_callback(lambda _: sink.discard())
        raise
    return await asyncio.wrap_future(_finishing(pool, sink, b"".join(waiting), settle, finish))


def _finishing(pool: Executor, sink: Sink, last: bytes, settle: Settle, finish: Finish[T]) -> Future[T]:
    """The last slice, and `finish` right behind it, without a detour over the event loop."""
    outcome: Future[T] = Future()

    def hand_over(done: Future[T]) -> None:
        if (error := done.exception()) is not None:
            outcome.set_exception(error)
        else:
            outcome.set_result(done.result())

    def work() -> None:
        try:
            finish(sink.finish(last, settle)).add_done_callback(hand_over)
        except BaseException as error:
            sink.discard()
            outcome.set_exception(error)

    outcome.set_running_or_notify_cancel()  # past this point it is not to be stopped half-way
    pool.submit(work)
    return outcome


def copy_range(bodies: Bodies, source: Extent, algorithms: set[str], settle: Settle) -> Ingested:
    """A new body of a range of another, hashed on the way."""
    sink = Sink(bodies, algorithms)
    try:
        for data in bodies.read(source, SLICE):
            sink.write(data)
        return sink.finish(b"", settle)
    except BaseException:
        sink.discard()
        raise
