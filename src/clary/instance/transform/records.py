"""From an object's bytes to the payloads of requests, cut where records end.

    Line        records end at a newline, which goes: so does that at the end of a batch
    RecordIO    (magic, length, bytes, padding)*: several records whole, a single one without its frame
    TFRecord    (length, its checksum, bytes, their checksum)*: as RecordIO

Framing: https://mxnet.apache.org/versions/1.9/api/architecture/note_data_loading,
https://www.tensorflow.org/tutorials/load_data/tfrecord. What lies within a frame is not looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

MAGIC = 0xCED7230A
LENGTH = (1 << 29) - 1
"""The upper three bits of a length say which part of a record follows:"""
WHOLE, FIRST, MIDDLE, LAST = range(4)


class BadInput(Exception):
    """An object cannot be split. The argument is why."""


def batches(chunks: Iterable[bytes], split: str, *, single: bool, limit: int) -> Iterator[bytes]:
    """Payloads of at most `limit` bytes, where it is not 0, of as many records as fit, or of one. An object without
    records gives none."""
    if split == "Line":
        return _single_lines(chunks, limit) if single else _lines(chunks, limit)
    if split in FRAMES:
        frames = FRAMES[split](Tape(chunks, limit))
        return (_checked(bare, limit) for _, bare in frames) if single else _gather(frames, limit)
    return _whole(chunks, limit)


def _whole(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if limit and len(data) > limit:
            raise BadInput(f"it is larger than MaxPayloadInMB ({limit >> 20} MB) and SplitType is None")
    if data:
        yield bytes(data)


def _lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    held = bytearray()
    for chunk in chunks:
        held += chunk
        # One byte more is the newline that a batch of the largest size ends with.
        while limit and len(held) > limit:
            cut = held.rfind(b"\n", 0, limit + 1)
            if cut < 0:
                raise _too_large(limit)
            if batch := _without_end(held[:cut]):
                yield batch
            del held[: cut + 1]
    if batch := _without_end(held):
        yield batch


def _without_end(lines: bytearray) -> bytes:
    return bytes(lines.rstrip(b"\r\n"))


def _single_lines(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if record := line.rstrip(b"\r"):
                yield _checked(record, limit)
        _checked(rest, limit)
    if record := rest.rstrip(b"\r"):
        yield record


class Tape:
    """Bytes that come in chunks, read in pieces."""

    def __init__(self, chunks: Iterable[bytes], limit: int) -> None:
        self._chunks = iter(chunks)
        self._held = b""
        self._at = 0
        self._limit = limit

    def read(self, size: int) -> bytes:
        """Exactly as many; raises `BadInput` where there are fewer, or more than a payload may have."""
        if self._limit and size > self._limit:
            raise _too_large(self._limit)
        if len(self._held) - self._at < size:
            self._fill(size)
        piece = self._held[self._at : self._at + size]
        self._at += size
        return piece

    def _fill(self, size: int) -> None:
        pieces = [self._held[self._at :]]
        have = len(pieces[0])
        while have < size:
            piece = next(self._chunks, b"")
            if not piece:
                raise BadInput("its last record is cut short")
            pieces.append(piece)
            have += len(piece)
        self._held, self._at = b"".join(pieces), 0

    @property
    def ended(self) -> bool:
        while self._at == len(self._held):
            try:
                self._held, self._at = next(self._chunks), 0
            except StopIteration:
                return True
        return False


Frame = tuple[bytes, bytes]
"""A record in its frame, and without."""


def _recordio(tape: Tape) -> Iterator[Frame]:
    frames: list[bytes] = []
    parts: list[bytes] = []
    while not tape.ended:
        head = tape.read(8)
        magic, word = struct.unpack("<II", head)
        part, length = word >> 29, word & LENGTH
        if magic != MAGIC or part > LAST or (part in (MIDDLE, LAST)) != bool(parts):
            raise BadInput("it is not RecordIO")
        data = tape.read(length)
        frames.append(head + data + tape.read(-length % 4))
        parts.append(data)
        if part in (WHOLE, LAST):
            # What is in parts was cut where it held the magic number.
            yield b"".join(frames), struct.pack("<I", MAGIC).join(parts)
            frames, parts = [], []
    if parts:
        raise BadInput("its last record is cut short")


def _tfrecord(tape: Tape) -> Iterator[Frame]:
    while not tape.ended:
        head = tape.read(12)
        data = tape.read(struct.unpack_from("<Q", head)[0])
        yield head + data + tape.read(4), data


FRAMES = {"RecordIO": _recordio, "TFRecord": _tfrecord}


def _gather(frames: Iterator[Frame], limit: int) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for framed, _ in frames:
        _checked(framed, limit)
        if limit and size + len(framed) > limit:
            yield b"".join(held)
            held, size = [], 0
        held.append(framed)
        size += len(framed)
    if held:
        yield b"".join(held)


def _checked(record: bytes, limit: int) -> bytes:
    if limit and len(record) > limit:
        raise _too_large(limit)
    return record


def _too_large(limit: int) -> BadInput:
    return BadInput(f"it has a record that is larger than MaxPayloadInMB ({limit >> 20} MB)")
