"""Rows as RecordIO-protobuf (`recordio`): what a model answers, and what tests and benchmarks train on."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from clary.toolkits.protobuf import delimited, encode_varint
from clary.toolkits.recordio import FEATURES, FIELDS, LABEL
from clary.toolkits.recordio_frames import HEADER, MAGIC

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Columns = Mapping[str, NDArray[np.floating]]
"""Name of a tensor → its values, one or several for each row."""


def write_records(features: Columns, label: Columns) -> bytes:
    """One record for each row, with dense tensors of float32 or float64 as the columns are."""
    columns = [(FEATURES, name, values) for name, values in features.items()]
    columns += [(LABEL, name, values) for name, values in label.items()]
    record, places = b"", []
    for field, name, values in columns:
        numbers = np.ascontiguousarray(values.reshape(len(values), -1))
        numbers = numbers.astype("<f8" if numbers.dtype == np.float64 else "<f4", copy=False)
        raw = numbers.view(np.uint8)
        record += _entry(field, name, FIELDS[numbers.dtype.str], delimited(1, bytes(raw.shape[1])))
        places.append((HEADER.size + len(record) - raw.shape[1], raw))
    record = HEADER.pack(MAGIC, len(record)) + record + b"\0" * (-len(record) % 4)
    rows = len(columns[0][2])
    # All records have the same layout: they are laid out at once, and the numbers filled in.
    block = np.tile(np.frombuffer(record, np.uint8), (rows, 1))
    for place, raw in places:
        block[:, place : place + raw.shape[1]] = raw
    return block.tobytes()


def write_sparse_records(rows: "csr_matrix", labels: NDArray[Any]) -> bytes:
    """One record for each row: float32 beside their keys and the width. Labels are float32 or, not negative, int32."""
    written = bytearray()
    for number in range(rows.shape[0]):
        row = slice(*rows.indptr[number : number + 2].tolist())
        tensor = delimited(1, rows.data[row].astype("<f4").tobytes())
        tensor += delimited(2, b"".join(map(encode_varint, rows.indices[row].tolist())))
        tensor += delimited(3, encode_varint(rows.shape[1]))
        message = _entry(FEATURES, "values", FIELDS["<f4"], tensor)
        message += _entry(LABEL, "values", *_packed(labels[number : number + 1]))
        written += HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
    return bytes(written)


def _entry(field: int, name: str, tensor: int, values: bytes) -> bytes:
    """An entry of one of the record's maps, which ends with the values."""
    return delimited(field, delimited(1, name.encode()) + delimited(2, delimited(tensor, values)))


def write_tensors(records: Iterable[Mapping[str, NDArray[Any]]]) -> bytes:
    """Records whose features are tensors of any lengths: int32 (tokens, a shape; none of them negative) or float32."""
    written = bytearray()
    for features in records:
        message = b"".join(_entry(FEATURES, name, *_packed(values)) for name, values in features.items())
        written += HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
    return bytes(written)


def _packed(values: NDArray[Any]) -> tuple[int, bytes]:
    """The kind of a tensor, and its numbers."""
    if values.dtype.kind == "f":
        return FIELDS["<f4"], delimited(1, values.astype("<f4", copy=False).tobytes())
    return FIELDS[""], delimited(1, b"".join(map(encode_varint, values.tolist())))
