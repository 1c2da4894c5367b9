"""Numbers of many records of one layout, joined into the columns of their rows."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.toolkits.protobuf import CUT_SHORT, varints
from clary.toolkits.recordio_frames import Data

if TYPE_CHECKING:  # It takes longer to import than many a job to run, and only sparse records need it.
    from scipy.sparse import csr_matrix

INTEGERS = "int"
"""Kind of labels that are varints; it is empty where there are no labels."""

Array = NDArray[np.float32]


class Packed(NamedTuple):
    """Parts of many records, one after another."""

    content: bytes | NDArray[np.uint8]
    lengths: NDArray[np.int64]
    """Bytes of each."""

    @classmethod
    def of(cls, parts: Sequence[Data]) -> "Packed":
        return cls(b"".join(parts), np.array([len(part) for part in parts], np.int64))


class BadRecord(ValueError):
    """The text says what is wrong; `number` which record of the data it is, counted from 1."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(what)
        self.number = number


def dense_rows(kind: str, values: Packed) -> Array:
    numbers, counts = _numbers(values, kind)
    _require_same(counts, "features")
    return numbers.astype(np.float32).reshape(len(counts), -1)


def sparse_rows(kind: str, values: Packed, keys: Packed, shapes: Packed) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    numbers, counts = _numbers(values, kind)
    places, key_counts = _integers(keys)
    if (wrong := counts != key_counts).any():
        raise BadRecord(int(wrong.argmax()) + 1, "a record has not as many keys as values")
    ends = np.concatenate([[0], np.cumsum(counts)])
    if (below := places < 0).any():
        row = int(np.searchsorted(ends, below.argmax(), side="right"))
        raise BadRecord(row, f"a record has the key {places[below][0]}, and the first feature's is 0")
    width = max(_widest(shapes), int(places.max(initial=-1)) + 1)
    return csr_matrix((numbers.astype(np.float32), places, ends), shape=(len(counts), width))


def label_column(parts: Packed, kind: str) -> Array | None:
    if not kind:
        return None
    numbers, counts = _numbers(parts, kind.replace(INTEGERS, ""))
    _require_same(counts, "labels")
    return one_column(numbers.reshape(len(counts), -1))


def _widest(shapes: Packed) -> int:
    """Columns of the widest; 0 where none tells its shape."""
    sizes, counts = _integers(shapes)
    told = counts > 0
    begun = (np.cumsum(counts) - counts)[told]
    return int(np.multiply.reduceat(sizes, begun).max()) if told.any() else 0


def _require_same(counts: NDArray[np.int64], what: str) -> None:
    if (differ := counts != counts[0]).any():
        row = int(differ.argmax())
        raise BadRecord(row + 1, f"a record has {counts[row]} {what}, where those before it have {counts[0]}")


def _numbers(parts: Packed, kind: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The numbers of all parts, and how many each has."""
    if not kind:
        return _integers(parts)
    counts, odd = np.divmod(parts.lengths, np.dtype(kind).itemsize)
    if odd.any():
        raise BadRecord(int(odd.argmax()) + 1, "the last number of a record is cut short")
    return np.frombuffer(parts.content, kind), counts


def _integers(parts: Packed) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    ends = np.concatenate([[0], np.cumsum(parts.lengths)])
    last = np.frombuffer(parts.content, np.uint8) < 0x80
    try:
        if len(last) and not last[ends[1:] - 1].all():
            raise ValueError(CUT_SHORT)
        numbers = varints(parts.content)
    except ValueError:
        _require_integers(np.frombuffer(parts.content, np.uint8), ends.tolist())
        raise
    begun = np.concatenate([[0], np.cumsum(last)])
    return numbers, np.diff(begun[ends])


def _require_integers(content: NDArray[np.uint8], ends: list[int]) -> None:
    for number, (start, stop) in enumerate(pairwise(ends), 1):
        try:
            varints(content[start:stop])
        except ValueError as error:
            raise BadRecord(number, str(error)) from error


def one_column(labels: NDArray[Any]) -> Array:
    numbers: Array = labels.astype(np.float32, copy=False)
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers
