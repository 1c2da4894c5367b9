"""Arrays in the file format of MXNet (`mx.nd.save`), in which AWS's algorithms leave k-means and PCA models.

    list: magic, 0, count, array*, count of names, (length, name)*
    array: magic, storage type, rank, int64 for each dimension, device (type, id), type of its numbers, the numbers

Numbers are little-endian. The format is that of src/ndarray/ndarray.cc of Apache MXNet 1.x.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

LIST, ARRAY = 0x112, 0xF993FAC9
SHAPES_OF_64_BITS = (ARRAY, 0xF993FACA)
"""Versions 2 and 3 of an array's magic number; before them there were no storage types."""
DENSE = 0
CPU = (1, 0)
TYPES = ("<f4", "<f8", "<f2", "u1", "<i4", "i1", "<i8")
"""By MXNet's number for them."""

Array = NDArray[Any]


def write_arrays(path: str, arrays: Mapping[str, Array] | Sequence[Array]) -> None:
    """With names, or as a list that `mx.nd.load` gives as a list."""
    names, numbers = (list(arrays), list(arrays.values())) if isinstance(arrays, Mapping) else ([], arrays)
    with open(path, "wb") as file:
        file.write(struct.pack("<QQQ", LIST, 0, len(numbers)))
        for array in numbers:
            kind = TYPES.index(array.dtype.newbyteorder("<").str.replace("|", ""))
            file.write(struct.pack(f"<IiI{array.ndim}q", ARRAY, DENSE, array.ndim, *array.shape))
            file.write(struct.pack("<iii", *CPU, kind))
            file.write(array.astype(TYPES[kind]).tobytes())
        file.write(struct.pack("<Q", len(names)))
        for name in names:
            file.write(struct.pack("<Q", len(name)) + name.encode())


def read_arrays(path: str) -> dict[str, Array]:
    """Name → array; of a list without names by number. Raises `ValueError` for what is no such file."""
    with open(path, "rb") as file:
        reader = _Reader(file.read())
    magic, _, count = reader.take("<QQQ")
    if magic != LIST:
        raise ValueError(f"{path} is no file of MXNet's arrays")
    arrays = [reader.array() for _ in range(count)]
    [named] = reader.take("<Q")
    names = [reader.text() for _ in range(named)] or [str(number) for number in range(count)]
    return dict(zip(names, arrays, strict=True))


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    def take(self, layout: str) -> tuple[int, ...]:
        try:
            found = struct.unpack_from(layout, self._data, self._offset)
        except struct.error as error:
            raise ValueError("a file of arrays is cut short") from error
        self._offset += struct.calcsize(layout)
        return found

    def text(self) -> str:
        [length] = self.take("<Q")
        self._offset += length
        return self._data[self._offset - length : self._offset].decode()

    def array(self) -> Array:
        magic, storage = self.take("<Ii")
        if magic not in SHAPES_OF_64_BITS or storage != DENSE:
            raise ValueError("an array of the file is of a kind that is not known here")
        [rank] = self.take("<I")
        shape = self.take(f"<{rank}q")
        _, _, kind = self.take("<iii")
        numbers = np.dtype(TYPES[kind])
        size = int(np.prod(shape)) * numbers.itemsize
        if self._offset + size > len(self._data):
            raise ValueError("a file of arrays is cut short")
        found = np.frombuffer(self._data, numbers, int(np.prod(shape)), self._offset).reshape(shape)
        self._offset += size
        return found
