"""Numbers of many records of one layout, joined into the columns of their rows."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clary.toolkits.protobuf import CUT_SHORT, varints
from clary.toolkits.recordio_frames import Data

if TYPE_CHECKING:  # It takes longer to import than many a job to run, and only sparse records need it.
    from scipy.sparse import csr_matrix

INTEGERS = "int"
"""Kind of labels that are varints; it is empty where there are no labels."""

Array = NDArray[np.float32]


class BadRecord(ValueError):
    """The text says what is wrong; `number` which record of the data it is, counted from 1."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(what)
        self.number = number


def dense_rows(kind: str, values: list[Data]) -> Array:
    numbers, counts = _packed(values, kind)
    _require_same(counts, "features")
    return numbers.astype(np.float32).reshape(len(values), -1)


def sparse_rows(kind: str, values: list[Data], keys: list[Data], shapes: list[Data]) -> "csr_matrix":
    from scipy.sparse import csr_matrix

    numbers, counts = _packed(values, kind)
    places, key_counts = _integers(keys)
    if (wrong := counts != key_counts).any():
        raise BadRecord(int(wrong.argmax()) + 1, "a record has not as many keys as values")
    ends = np.concatenate([[0], np.cumsum(counts)])
    if (below := places < 0).any():
        row = int(np.searchsorted(ends, below.argmax(), side="right"))
        raise BadRecord(row, f"a record has the key {places[below][0]}, and the first feature's is 0")
    width = max(_widest(shapes), int(places.max(initial=-1)) + 1)
    return csr_matrix((numbers.astype(np.float32), places, ends), shape=(len(values), width))


def label_column(parts: list[Data], kind: str) -> Array | None:
    if not kind:
        return None
    numbers, counts = _packed(parts, kind.replace(INTEGERS, ""))
    _require_same(counts, "labels")
    return one_column(numbers.reshape(len(parts), -1))


def _widest(shapes: list[Data]) -> int:
    """Columns of the widest; 0 where none tells its shape."""
    sizes, counts = _integers(shapes)
    told = counts > 0
    begun = (np.cumsum(counts) - counts)[told]
    return int(np.multiply.reduceat(sizes, begun).max()) if told.any() else 0


def _require_same(counts: NDArray[np.int64], what: str) -> None:
    if (differ := counts != counts[0]).any():
        row = int(differ.argmax())
        raise BadRecord(row + 1, f"a record has {counts[row]} {what}, where those before it have {counts[0]}")


def _packed(parts: list[Data], kind: str) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """The numbers of all parts, and how many each has."""
    if not kind:
        return _integers(parts)
    counts, odd = np.divmod([len(part) for part in parts], np.dtype(kind).itemsize)
    if odd.any():
        raise BadRecord(int(odd.argmax()) + 1, "the last number of a record is cut short")
    return np.frombuffer(b"".join(parts), kind), counts


def _integers(parts: list[Data]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    joined = b"".join(parts)
    ends = np.cumsum([0, *map(len, parts)])
    last = np.frombuffer(joined, np.uint8) < 0x80
    try:
        if joined and not last[ends[1:] - 1].all():
            raise ValueError(CUT_SHORT)
        numbers = varints(joined)
    except ValueError:
        _require_integers(parts)
        raise
    begun = np.concatenate([[0], np.cumsum(last)])
    return numbers, np.diff(begun[ends])


def _require_integers(parts: list[Data]) -> None:
    for number, part in enumerate(parts, 1):
        try:
            varints(part)
        except ValueError as error:
            raise BadRecord(number, str(error)) from error


def one_column(labels: NDArray[Any]) -> Array:
    numbers: Array = labels.astype(np.float32, copy=False)
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers
