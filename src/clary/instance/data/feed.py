"""What a pipe is fed with: the bytes of a channel's items, as they are, decompressed, or as records of RecordIO.

    file of this disk ─ splice ─▶ pipe            its bytes never come here
    URL ─ `streaming` ─▶ [gzip] ─▶ pipe           a chunk at a time
    … as a record                                 (magic, length) bytes padding: what is of unknown length is put
                                                  into a file first

Framing: https://mxnet.apache.org/versions/1.9/api/architecture/note_data_loading.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import IO

from clary.instance.data.staging import is_remote
from clary.instance.data.transfer import CHUNK
from clary.instance.errors import Refused
from clary.instance.spec import Pipe, Source

MAGIC = 0xCED7230A
LONGEST_RECORD = (1 << 29) - 1
"""Bytes: the upper three bits of a length say how a record goes on in the next one."""


class Feed:
    def __init__(self, pipe: Pipe, scratch: str) -> None:
        self._pipe = pipe
        self._scratch = scratch

    def send(self, epoch: int, fd: int) -> None:
        """Write all of an epoch to the open file. Raises `Refused` for what cannot be read, and BrokenPipeError."""
        for item in items_of(self._pipe, epoch):
            for source in item:
                try:
                    self._send(source, fd)
                except BrokenPipeError:
                    raise
                except OSError as error:
                    raise _failed(source, error.strerror or str(error)) from error

    def _send(self, source: Source, fd: int) -> None:
        if not source.location:
            text = source.text.encode()
            self._write(source, [text], len(text), fd)
        elif is_remote(source) or self._pipe.gzip:
            self._send_stream(source, fd)
        else:
            with open(source.location, "rb", buffering=0) as file:
                self._send_file(source, file, fd)

    def _send_stream(self, source: Source, fd: int) -> None:
        chunks = self._chunks(source)
        if not self._pipe.recordio:
            for chunk in chunks:
                write(fd, chunk)
            return
        import tempfile

        with tempfile.TemporaryFile(dir=self._scratch) as file:
            for chunk in chunks:
                file.write(chunk)
            file.flush()
            file.seek(0)
            self._send_file(source, file, fd)

    def _send_file(self, source: Source, file: IO[bytes], fd: int) -> None:
        size = left = os.fstat(file.fileno()).st_size
        if self._pipe.recordio:
            write(fd, header(source, size))
        while left:
            moved = os.splice(file.fileno(), fd, left)
            if not moved:
                raise _failed(source, f"{left} bytes are missing")
            left -= moved
        if self._pipe.recordio:
            write(fd, padding(size))

    def _write(self, source: Source, chunks: list[bytes], size: int, fd: int) -> None:
        framed = [header(source, size), *chunks, padding(size)] if self._pipe.recordio else chunks
        for chunk in framed:
            write(fd, chunk)

    def _chunks(self, source: Source) -> Iterator[bytes]:
        chunks = read(source)
        return decompressed(source, chunks) if self._pipe.gzip else chunks


def items_of(pipe: Pipe, epoch: int) -> list[list[Source]]:
    """What this instance gets in an epoch. All instances of a job find the same order."""
    items = pipe.items
    if pipe.seed is not None:
        import random

        items = random.Random(f"{pipe.seed} {epoch}").sample(items, len(items))
    return items[pipe.place :: pipe.places]


def header(source: Source, size: int) -> bytes:
    if size > LONGEST_RECORD:
        raise _failed(source, f"it has {size} bytes, and a record of RecordIO at most {LONGEST_RECORD}")
    return struct.pack("<II", MAGIC, size)


def padding(size: int) -> bytes:
    """To a multiple of four bytes."""
    return bytes(-size % 4)


def write(fd: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]


def decompressed(source: Source, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Also of several members, as programs that compress in parallel write them. No chunk is longer than `CHUNK`."""
    import zlib

    # Between members, and after the last, there may be zeros.
    engine, inside, padding_ahead = zlib.decompressobj(wbits=31), False, b""
    try:
        for chunk in chunks:
            data = chunk
            while data := data if inside else data.lstrip(padding_ahead):
                inside = True
                if plain := engine.decompress(data, CHUNK):
                    yield plain
                data = engine.unconsumed_tail
                if engine.eof:
                    data = engine.unused_data
                    engine, inside, padding_ahead = zlib.decompressobj(wbits=31), False, b"\0"
        while inside and (plain := engine.decompress(b"", CHUNK)):
            yield plain
    except zlib.error as error:
        raise _failed(source, f"it is not gzip: {error}") from None
    if inside and not engine.eof:
        raise _failed(source, "its gzip is cut short")


def read(source: Source) -> Iterator[bytes]:
    if is_remote(source):
        from clary.instance.data.streaming import stream

        yield from stream(source)
        return
    with open(source.location, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _failed(source: Source, why: str) -> Refused:
    return Refused(f"ClientError: Data download failed: {source.name}: {why}.")
