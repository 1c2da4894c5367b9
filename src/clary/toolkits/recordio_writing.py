"""Rows as RecordIO-protobuf (`recordio`): what a model answers, and what tests and benchmarks train on."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from clary.toolkits.protobuf import delimited
from clary.toolkits.recordio import FEATURES, HEADER, LABEL, MAGIC, TENSORS

FIELDS = {kind: number for number, kind in TENSORS.items()}
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
        record += _entry(field, name, FIELDS[numbers.dtype.str], raw.shape[1])
        places.append((HEADER.size + len(record) - raw.shape[1], raw))
    record = HEADER.pack(MAGIC, len(record)) + record + b"\0" * (-len(record) % 4)
    rows = len(columns[0][2])
    # All records have the same layout: they are laid out at once, and the numbers filled in.
    block = np.tile(np.frombuffer(record, np.uint8), (rows, 1))
    for place, raw in places:
        block[:, place : place + raw.shape[1]] = raw
    return block.tobytes()


def _entry(field: int, name: str, tensor: int, size: int) -> bytes:
    """An entry of one of the record's maps, which ends with the `size` bytes of its values."""
    value = delimited(tensor, delimited(1, bytes(size)))
    return delimited(field, delimited(1, name.encode()) + delimited(2, value))
