"""Frames of RecordIO: where in a file its records lie, whatever they hold.

    (magic, length, record, padding to 4)*

https://mxnet.apache.org/versions/1.9/api/architecture/note_data_loading
"""

import struct
from collections.abc import Iterator
from typing import IO

import numpy as np
from numpy.typing import NDArray

Data = bytes | memoryview
Span = tuple[int, int]
Places = NDArray[np.int64]

CHUNK = 2 * 1024 * 1024
"""Bytes that are read at once. With more, their memory comes from the system anew each time, page by page."""
MAGIC = 0xCED7230A
LENGTH_BITS = (1 << 29) - 1
"""The upper three bits of a length say how a record continues; a record of the platform's never does."""
GOES_ON = (1, 2)
"""First and middle part of a record in which the magic number stood, between all of its parts."""
HEADER = struct.Struct("<II")
MAGIC_BYTES = struct.pack("<I", MAGIC)

ALIGNED = 4
"""Bytes to which records are padded, and the size of a float."""


def record_at(data: Data, offset: int) -> Span | None:
    """Where the record lies whose frame begins there; None where the data ends before it does."""
    if len(data) - offset < HEADER.size:
        return None
    magic, length = HEADER.unpack_from(data, offset)
    if magic != MAGIC:
        raise ValueError(f"no RecordIO record begins at byte {offset}")
    start = offset + HEADER.size
    end = start + (length & LENGTH_BITS)
    return (start, end) if framed(end - start) + start <= len(data) else None


def framed(length: int) -> int:
    """Bytes of a record with its padding."""
    return (length + ALIGNED - 1) // ALIGNED * ALIGNED


def records_at_once(data: memoryview) -> tuple[Places, Places]:
    """Where the whole records begin and end whose frames follow one another from the first byte on. One that holds the
    magic number may be the last of them, and is otherwise as the others."""
    words = np.frombuffer(data, "<u4", len(data) // ALIGNED)
    heads = np.flatnonzero(words[:-1] == MAGIC)
    lengths = (words[heads + 1] & LENGTH_BITS).astype(np.int64)
    after = heads + (HEADER.size + lengths + ALIGNED - 1) // ALIGNED
    follow = np.concatenate([[0], after[:-1]]) == heads
    whole = np.append(follow & (after <= len(words)), False)
    count = int(whole.argmin())
    starts = heads[:count] * ALIGNED + HEADER.size
    return starts, starts + lengths[:count]


def read_records(stream: IO[bytes]) -> Iterator[bytes]:
    """What each record of a stream holds, whatever that is. Raises `ValueError` where there is none."""
    rest, parts = b"", list[bytes]()
    while chunk := stream.read(CHUNK):
        rest, end = rest + chunk, 0
        for goes_on, span, after in _frames(rest):
            parts.append(rest[slice(*span)])
            end = after
            if not goes_on:
                yield MAGIC_BYTES.join(parts)
                parts = []
        rest = rest[end:]
    if rest or parts:
        raise ValueError("the last record is cut short")


def records_in(data: memoryview) -> Iterator[Data]:
    """The same of data that is all there: parts of it, which are not copied."""
    parts, end = list[memoryview](), 0
    for goes_on, span, after in _frames(data):
        parts.append(data[slice(*span)])
        end = after
        if not goes_on:
            yield parts[0] if len(parts) == 1 else MAGIC_BYTES.join(parts)
            parts = []
    if end < len(data) or parts:
        raise ValueError("the last record is cut short")


def _frames(data: Data) -> Iterator[tuple[bool, Span, int]]:
    """Of each whole frame whether the record goes on in the next one, where what it holds lies, and where it ends."""
    offset = 0
    while span := record_at(data, offset):
        part = HEADER.unpack_from(data, offset)[1] >> LENGTH_BITS.bit_length()
        offset = span[0] + framed(span[1] - span[0])
        yield part in GOES_ON, span, offset
