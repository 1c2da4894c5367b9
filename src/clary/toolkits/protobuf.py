"""The wire format of protocol buffers, as far as a few small messages need it.

https://protobuf.dev/programming-guides/encoding. Reading by hand spares the runtime, and lets many messages of one
layout be read at once (`recordio`).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT = 10
CUT_SHORT = "a record's message is cut short"


def fields(data: bytes | memoryview, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(number, start, end) of what each field holds: of a message, a string or packed numbers the content, of a
    number its encoding."""
    offset = start
    while offset < end:
        tag, offset = varint(data, offset, end)
        wire = tag & 7
        if wire == DELIMITED:
            length, offset = varint(data, offset, end)
        elif wire == VARINT:
            length = varint(data, offset, end)[1] - offset
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"not a protobuf message: wire type {wire}")
        if offset + length > end:
            raise ValueError(CUT_SHORT)
        yield tag >> 3, offset, offset + length
        offset += length


def varint(data: bytes | memoryview, offset: int, end: int) -> tuple[int, int]:
    """A number, and where what follows it begins."""
    number = shift = 0
    while True:
        if offset >= end:
            raise ValueError(CUT_SHORT)
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, offset
        shift += 7


def varints(packed: bytes | memoryview) -> NDArray[np.int64]:
    """All numbers of a packed field. Negative int32 travel as 64-bit two's complement."""
    raw = np.frombuffer(packed, np.uint8)
    last = raw < 0x80
    if last.all():
        return raw.astype(np.int64)
    if not last[-1]:
        raise ValueError(CUT_SHORT)
    ends = np.flatnonzero(last)
    starts = np.concatenate([[0], ends[:-1] + 1])
    places = np.arange(len(raw)) - np.repeat(starts, ends - starts + 1)
    if places.max() >= LONGEST_VARINT:
        raise ValueError("a number of a record is longer than 64 bits")
    shifted = (raw & 0x7F).astype(np.uint64) << (7 * places).astype(np.uint64)
    return np.add.reduceat(shifted, starts).view(np.int64)


def encode_varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def delimited(field: int, content: bytes) -> bytes:
    """A field that holds a message, a string or packed numbers."""
    return encode_varint(field << 3 | DELIMITED) + encode_varint(len(content)) + content
