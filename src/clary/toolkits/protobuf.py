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


def varints(packed: bytes | memoryview | NDArray[np.uint8]) -> NDArray[np.int64]:
    """All numbers of a packed field. Negative int32 travel as 64-bit two's complement."""
    raw = np.frombuffer(packed, np.uint8)
    ends = np.flatnonzero(raw < 0x80)
    if len(raw) and (not len(ends) or ends[-1] < len(raw) - 1):
        raise ValueError(CUT_SHORT)
    numbers = raw[ends].astype(np.int64)
    if len(ends) == len(raw):
        return numbers
    lengths = np.diff(ends, prepend=-1)
    longest = int(lengths.max())
    if longest > LONGEST_VARINT:
        raise ValueError("a number of a record is longer than 64 bits")
    for place in range(1, longest):
        # The last byte has the highest bits.
        longer = np.flatnonzero(lengths > place)
        numbers[longer] = numbers[longer] << 7 | raw[ends[longer] - place] & 0x7F
    return numbers


class Abreast:
    """Many messages of one layout that are read at once: `at` is a place in each, and all go ahead together.

    `sound` tells of each whether all was as expected so far; what is read of others has no meaning.
    """

    def __init__(self, data: bytes | memoryview, starts: NDArray[np.int64]) -> None:
        self._data = np.frombuffer(data, np.uint8)
        self.at = starts.copy()
        self.sound = np.ones(len(starts), bool)

    def expect(self, content: bytes) -> None:
        for byte in content:
            self.sound &= self._look() == byte
            self.at += 1

    def end(self) -> NDArray[np.int64]:
        """Where the content ends whose length comes next."""
        length = self._varint(self.sound)
        return self.at + length

    def field(self, number: int, end: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Where the content of a delimited field lies; empty in messages, of which it is no field that comes next
        before their end."""
        there = (self.at < end) & (self._look() == (number << 3 | DELIMITED))
        self.at += there
        length = self._varint(there)
        start = self.at.copy()
        self.at += length
        return start, self.at.copy()

    def varints(self, start: NDArray[np.int64], stop: NDArray[np.int64]) -> NDArray[np.int32]:
        """How many end between two places of each."""
        ended = np.cumsum(self._data < 0x80, dtype=np.int32)
        return ended.take(stop - 1, mode="clip") - ended.take(start - 1, mode="clip")

    def _look(self) -> NDArray[np.uint8]:
        return self._data.take(self.at, mode="clip")

    def _varint(self, there: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Numbers of at most 28 bits, which is more than any data has bytes; 0 where there is none."""
        number = np.zeros(len(self.at), np.int64)
        for shift in range(0, 28, 7):
            byte = np.where(there, self._look(), 0).astype(np.int64)
            number |= (byte & 0x7F) << shift
            self.at += there
            there = byte >= 0x80
            if not there.any():
                break
        self.sound &= ~there
        return number


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
