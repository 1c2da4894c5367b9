"""Amazon's RecordIO-protobuf, the format that many built-in algorithms share.

    file: (magic, length, record, padding to 4)*        record: protobuf message `Record`

    stream ─ 2 MiB at a time ─▶ dense records of one layout, where they lie ──────────────────┐
                                sparse ones that differ in lengths alone (`recordio_sparse`) ─┼─▶ Rows
                                others one by one, columns at once ───────────────────────────┘

Framing: `recordio_frames`. Message: `aialgs.data.Record`,
https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html. A record's features and label are tensors, dense or
sparse (with keys), of which the one named "values" counts.
"""

import io
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from clary.toolkits.protobuf import fields
from clary.toolkits.recordio_columns import (
    INTEGERS,
    Array,
    BadRecord,
    Packed,
    dense_rows,
    label_column,
    one_column,
    sparse_rows,
)
from clary.toolkits.recordio_frames import ALIGNED, CHUNK, Data, Span, framed, record_at
from clary.toolkits.recordio_sparse import FEW, Layout, find

if TYPE_CHECKING:  # It takes longer to import than many a job to run, and only sparse records need it.
    from scipy.sparse import csr_matrix

ONE_BY_ONE = 1024
"""Records that are read one by one before another look whether those that follow are alike."""

FEATURES, LABEL = 1, 2
TENSORS = {2: "<f4", 3: "<f8", 7: ""}
"""Field of `Value` → type of its packed values; the integers of field 7 are varints."""
FIELDS = {kind: number for number, kind in TENSORS.items()}
SPARSE = [(FEATURES, "values")], [(FEATURES, "values"), (LABEL, "values")]
"""Tensors of records that are read at once."""


class Rows(NamedTuple):
    """Consecutive records that are alike: all dense and of one width, or all sparse."""

    features: "Array | csr_matrix"
    """Dense ones lie between what else was read, where that can be: rows that do not follow one another at once."""
    labels: Array | None
    """One for each row; of several for each row a matrix."""


class Tensor(NamedTuple):
    """Where in its record a tensor lies."""

    kind: str
    values: list[Span]
    keys: list[Span]
    """Empty where the tensor is dense."""
    shape: list[Span]


class _Record(NamedTuple):
    kind: str
    values: Data
    keys: Data | None
    shape: Data
    label_kind: str
    label: Data

    @property
    def layout(self) -> tuple[object, ...]:
        width = len(self.values) if self.keys is None and self.kind else 0
        labels = sum(byte < 0x80 for byte in self.label) if self.label_kind == INTEGERS else len(self.label)
        return self.kind, self.keys is None, width, self.label_kind, labels


def read_recordio(data: bytes) -> tuple["Array | csr_matrix", Array]:
    """Features, dense or sparse as the records are, and labels (empty where there are none)."""
    rows, end = decode(data)
    if end < len(data):
        raise ValueError("the last record is cut short")
    labels = [each.labels.ravel() for each in rows if each.labels is not None]
    return _together([each.features for each in rows]), np.concatenate([np.empty(0, np.float32), *labels])


def read_rows(stream: io.BufferedIOBase) -> Iterator[Rows]:
    """All records of a stream, in the memory that a few megabytes of it take. Raises `ValueError` with the number of
    a bad record, counted from 1."""
    rest, lead, done = memoryview(b""), 0, 0
    while block := _block(stream, rest, lead):
        try:
            rows, end = decode(block)
            lead = lead if done else _lead(block)
        except BadRecord as error:
            raise ValueError(f"record {done + error.number}: {error}") from error
        yield from rows
        done += sum(each.features.shape[0] for each in rows)
        rest = block[end:]
    if rest:
        raise ValueError(f"record {done + 1}: the last record is cut short")


def _block(stream: io.BufferedIOBase, rest: memoryview, lead: int) -> memoryview | None:
    """What is left of the block before and what comes next, so many bytes after where memory is aligned; None where
    nothing comes. Each has memory of its own, since rows stay in it."""
    begin = lead + len(rest)
    block = np.empty(begin + CHUNK, np.uint8).data
    block[lead:begin] = rest
    count = stream.readinto(block[begin:])
    return block[lead : begin + count] if count else None


def _lead(data: Data) -> int:
    """How far from where memory is aligned records must begin, for the numbers of such as the first to be aligned."""
    span = record_at(data, 0)
    tensor = tensors(data, *span).get((FEATURES, "values")) if span else None
    return -tensor.values[0][0] % ALIGNED if tensor and tensor.values else 0


def decode(data: Data) -> tuple[list[Rows], int]:
    """All whole records of the data, and where the one begins that is not. Raises `BadRecord`."""
    found: list[Rows] = []
    offset = 0
    while True:
        try:
            if alike := _alike(data, offset):
                found.append(alike[0])
                offset = alike[1]
                continue
            records, offset = _one_by_one(data, offset)
            if not records:
                return found, offset
            for _, group in groupby(records, key=lambda record: record.layout):
                found.append(_columns(list(group)))
        except ValueError as error:
            done = sum(each.features.shape[0] for each in found)
            number = error.number if isinstance(error, BadRecord) else 1
            raise BadRecord(done + number, str(error)) from error


def tensors(data: Data, start: int, end: int) -> dict[tuple[int, str], Tensor]:
    """(features or label, name) → tensor of a record."""
    found = {}
    for field, begin, stop in fields(data, start, end):
        if field in (FEATURES, LABEL):
            parts = {number: span for number, *span in fields(data, begin, stop)}
            name = bytes(data[slice(*parts[1])]).decode() if 1 in parts else ""
            found[field, name] = _tensor(data, *parts.get(2, [0, 0]))
    return found


def _tensor(data: Data, start: int, end: int) -> Tensor:
    for field, begin, stop in fields(data, start, end):
        if field in TENSORS:
            parts: dict[int, list[Span]] = {1: [], 2: [], 3: []}
            for part, *span in fields(data, begin, stop):
                parts.setdefault(part, []).append((span[0], span[1]))
            return Tensor(TENSORS[field], parts[1], parts[2], parts[3])
    raise ValueError("a record's tensor is neither float32, float64 nor int32")


def _alike(data: Data, offset: int) -> tuple[Rows, int] | None:
    """The records from there on that are as the first of them, and where they end; None where they are few."""
    span = record_at(data, offset)
    found = tensors(data, *span) if span else {}
    if not span or (FEATURES, "values") not in found:
        return None
    if _is_sparse(found[FEATURES, "values"]):
        return _alike_sparse(data, offset, found)
    return _alike_dense(data, offset, span, found)


def _is_sparse(tensor: Tensor) -> bool:
    """One without a single value may come without keys."""
    return any(begin < end for begin, end in tensor.keys) or (
        all(begin == end for begin, end in tensor.values) and any(begin < end for begin, end in tensor.shape)
    )


def _alike_sparse(data: Data, offset: int, found: dict[tuple[int, str], Tensor]) -> tuple[Rows, int] | None:
    """Those of which only lengths and numbers differ."""
    if list(found) not in SPARSE:
        return None
    layouts = [
        Layout(field, FIELDS[each.kind], np.dtype(each.kind).itemsize if each.kind else 0)
        for (field, _), each in found.items()
    ]
    if not (alike := find(memoryview(data)[offset:], layouts)):
        return None
    (features, *labels), end = alike
    kinds = [each.kind for each in found.values()]
    rows = sparse_rows(kinds[0], features.values, features.keys, features.shapes)
    return Rows(rows, label_column(labels[0].values, kinds[1] or INTEGERS) if labels else None), offset + end


def _alike_dense(data: Data, offset: int, span: Span, found: dict[tuple[int, str], Tensor]) -> tuple[Rows, int] | None:
    """Those that differ in nothing but their numbers."""
    kept = [tensor for key in ((FEATURES, "values"), (LABEL, "values")) if (tensor := found.get(key))]
    kinds = [_kind_of_one_size(each) for each in kept]
    if not all(kinds):
        return None
    stride = span[0] - offset + framed(span[1] - span[0])
    count = (len(data) - offset) // stride
    block = np.frombuffer(data, np.uint8, count * stride, offset).reshape(count, stride)
    numbers = [(each.values[0][0] - offset, each.values[0][1] - offset) for each in kept]
    edges = [0, *(edge for number in sorted(numbers) for edge in number), span[1] - offset]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        fixed = block[:count, begin:end]
        if fixed.tobytes() != fixed[0].tobytes() * count:
            count = int((fixed != fixed[0]).any(axis=1).argmax())
    if count < FEW:
        return None
    features, *labels = (
        np.require(block[:count, begin:end].view(kind), np.float32, "A")
        for kind, (begin, end) in zip(kinds, numbers, strict=True)
    )
    # Labels are kept more often than rows, and must not keep all that was read with them.
    return Rows(features, one_column(labels[0].copy()) if labels else None), offset + count * stride


def _kind_of_one_size(tensor: Tensor) -> str:
    """The type of a dense tensor's values where all have the same size: of integers, where it is one of one byte."""
    if tensor.keys or len(tensor.values) != 1:
        return ""
    [(begin, end)] = tensor.values
    return tensor.kind or ("u1" if end - begin == 1 else "")


def _one_by_one(data: Data, offset: int) -> tuple[list[_Record], int]:
    records: list[_Record] = []
    try:
        while len(records) < ONE_BY_ONE and (span := record_at(data, offset)):
            records.append(_record(data, *span))
            offset = span[0] + framed(span[1] - span[0])
    except ValueError as error:
        raise BadRecord(len(records) + 1, str(error)) from error
    return records, offset


def _record(data: Data, start: int, end: int) -> _Record:
    found = tensors(data, start, end)
    tensor, label = found.get((FEATURES, "values")), found.get((LABEL, "values"))
    if tensor is None:
        raise ValueError("a record has no feature tensor named 'values'")
    return _Record(
        tensor.kind,
        _bytes(data, tensor.values),
        _bytes(data, tensor.keys) if _is_sparse(tensor) else None,
        _bytes(data, tensor.shape),
        label.kind or INTEGERS if label else "",
        _bytes(data, label.values) if label else b"",
    )


def _bytes(data: Data, spans: list[Span]) -> Data:
    return data[slice(*spans[0])] if len(spans) == 1 else b"".join([data[slice(*span)] for span in spans])


def _columns(records: list[_Record]) -> Rows:
    """Records of one layout."""
    kind = records[0].kind
    labels = label_column(Packed.of([record.label for record in records]), records[0].label_kind)
    values = Packed.of([record.values for record in records])
    if records[0].keys is None:
        return Rows(dense_rows(kind, values), labels)
    keys, shapes = (
        Packed.of(parts) for parts in zip(*((each.keys or b"", each.shape) for each in records), strict=True)
    )
    return Rows(sparse_rows(kind, values, keys, shapes), labels)


def _together(parts: list["Array | csr_matrix"]) -> "Array | csr_matrix":
    if not parts:
        return np.empty((0, 0), dtype=np.float32)
    if all(isinstance(part, np.ndarray) for part in parts):
        return np.vstack(parts)
    from scipy.sparse import csr_matrix, vstack

    width = max(part.shape[1] for part in parts)
    sparse = [csr_matrix(part) for part in parts]
    for part in sparse:
        part.resize(part.shape[0], width)
    return vstack(sparse, format="csr")
