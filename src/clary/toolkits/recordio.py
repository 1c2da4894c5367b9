"""Amazon's RecordIO-protobuf, the format that many built-in algorithms share.

    file: (magic, length, record, padding to 4)*        record: protobuf message `Record`

    stream ─ 4 MiB at a time ─▶ records of one layout, where they lie ─┐
                                records one by one, columns at once ───┴─▶ Rows

Framing: https://mxnet.apache.org/versions/1.9/api/architecture/note_data_loading. Message:
`aialgs.data.Record`, https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html. A record's
features and label are tensors, dense or sparse (with keys), of which the one named "values" counts.
"""

import io
import struct
from collections.abc import Iterator
from itertools import groupby
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from clary.toolkits.protobuf import fields, varints

if TYPE_CHECKING:  # It takes longer to import than many a job to run, and only sparse records need it.
    from scipy.sparse import csr_matrix

MAGIC = 0xCED7230A
LENGTH_BITS = (1 << 29) - 1
"""The upper three bits of a length say how a record continues; a record of the platform's never does."""
GOES_ON = (1, 2)
"""First and middle part of a record in which the magic number stood, between all of its parts."""
HEADER = struct.Struct("<II")
MAGIC_BYTES = struct.pack("<I", MAGIC)
CHUNK = 4 * 1024 * 1024
FEW = 16
"""Records alike below which it is no gain to read them all at once."""
ONE_BY_ONE = 1024
"""Records that are read one by one before another look whether those that follow are alike."""

ALIGNED = 4
"""Bytes to which records are padded, and the size of a float."""

FEATURES, LABEL = 1, 2
TENSORS = {2: "<f4", 3: "<f8", 7: ""}
"""Field of `Value` → type of its packed values; the integers of field 7 are varints."""

Array = NDArray[np.float32]
Data = bytes | memoryview
Span = tuple[int, int]


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
    width: int
    """Of a sparse record as its shape tells it, of a dense one the bytes of its values."""
    label_kind: str
    label: Data

    @property
    def layout(self) -> tuple[object, ...]:
        width = self.width if self.keys is None and self.kind else 0
        return self.kind, self.keys is None, width, self.label_kind, len(self.label) if self.label_kind else 0


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


class BadRecord(ValueError):
    """The text says what is wrong; `number` which record of the data it is, counted from 1."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__(what)
        self.number = number


def decode(data: Data) -> tuple[list[Rows], int]:
    """All whole records of the data, and where the one begins that is not. Raises `BadRecord`."""
    found: list[Rows] = []
    offset = 0
    while True:
        done = sum(each.features.shape[0] for each in found)
        try:
            if alike := _alike(data, offset):
                found.append(alike[0])
                offset = alike[1]
                continue
            records, offset = _one_by_one(data, offset)
            if not records:
                return found, offset
            found += [_columns(list(group)) for _, group in groupby(records, key=lambda record: record.layout)]
        except BadRecord as error:
            raise BadRecord(done + error.number, str(error)) from error
        except ValueError as error:
            raise BadRecord(done + 1, str(error)) from error


def record_at(data: Data, offset: int) -> Span | None:
    """Where the record lies whose frame begins there; None where the data ends before it does."""
    if len(data) - offset < HEADER.size:
        return None
    magic, length = HEADER.unpack_from(data, offset)
    if magic != MAGIC:
        raise ValueError(f"no RecordIO record begins at byte {offset}")
    start = offset + HEADER.size
    end = start + (length & LENGTH_BITS)
    return (start, end) if _framed(end - start) + start <= len(data) else None


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


def _framed(length: int) -> int:
    """Bytes of a record with its padding."""
    return (length + ALIGNED - 1) // ALIGNED * ALIGNED


def _alike(data: Data, offset: int) -> tuple[Rows, int] | None:
    """The dense records from there on that differ in nothing but their numbers, and where they end."""
    span = record_at(data, offset)
    if span is None:
        return None
    found = tensors(data, *span)
    kept = [tensor for key in ((FEATURES, "values"), (LABEL, "values")) if (tensor := found.get(key))]
    kinds = [_kind_of_one_size(each) for each in kept]
    if (FEATURES, "values") not in found or not all(kinds):
        return None
    stride = span[0] - offset + _framed(span[1] - span[0])
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
    return Rows(features, _label(labels[0].copy()) if labels else None), offset + count * stride


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
            offset = span[0] + _framed(span[1] - span[0])
    except ValueError as error:
        raise BadRecord(len(records) + 1, str(error)) from error
    return records, offset


def _record(data: Data, start: int, end: int) -> _Record:
    found = tensors(data, start, end)
    tensor, label = found.get((FEATURES, "values")), found.get((LABEL, "values"))
    if tensor is None:
        raise ValueError("a record has no feature tensor named 'values'")
    values = _bytes(data, tensor.values)
    shape = varints(_bytes(data, tensor.shape))
    # A sparse tensor without a single value may come without keys.
    sparse = bool(tensor.keys) or (not values and bool(len(shape)))
    return _Record(
        tensor.kind,
        values,
        _bytes(data, tensor.keys) if sparse else None,
        int(np.prod(shape)) if sparse and len(shape) else len(values) if not sparse else 0,
        label.kind or "int" if label else "",
        _bytes(data, label.values) if label else b"",
    )


def _bytes(data: Data, spans: list[Span]) -> Data:
    return data[slice(*spans[0])] if len(spans) == 1 else b"".join([data[slice(*span)] for span in spans])


def _columns(records: list[_Record]) -> Rows:
    """Records of one layout."""
    values, counts = _packed([record.values for record in records], records[0].kind)
    labels = None
    if records[0].label_kind:
        kind = records[0].label_kind.replace("int", "")
        labels = _label(_packed([record.label for record in records], kind)[0].reshape(len(records), -1))
    if records[0].keys is None:
        if (counts != counts[0]).any():
            row = int((counts != counts[0]).argmax())
            raise ValueError(f"a record has {counts[row]} features, where those before it have {counts[0]}")
        return Rows(values.astype(np.float32).reshape(len(records), -1), labels)
    from scipy.sparse import csr_matrix

    keys, key_counts = _packed([record.keys or b"" for record in records], "")
    if (counts != key_counts).any():
        raise ValueError("a record has not as many keys as values")
    width = max([record.width for record in records] + ([int(keys.max()) + 1] if len(keys) else []))
    ends = np.concatenate([[0], np.cumsum(counts)])
    return Rows(csr_matrix((values.astype(np.float32), keys, ends), shape=(len(records), width)), labels)


def _packed(parts: list[Data], kind: str) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """The numbers of all parts, and how many each has."""
    joined = b"".join(parts)
    ends = np.cumsum([0, *map(len, parts)])
    if kind:
        return np.frombuffer(joined, kind), np.diff(ends) // np.dtype(kind).itemsize
    begun = np.concatenate([[0], np.cumsum(np.frombuffer(joined, np.uint8) < 0x80)])
    return varints(joined), np.diff(begun[ends])


def _label(labels: NDArray[Any]) -> Array:
    numbers: Array = labels.astype(np.float32, copy=False)
    return numbers[:, 0] if numbers.shape[1] == 1 else numbers


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
        offset = span[0] + _framed(span[1] - span[0])
        yield part in GOES_ON, span, offset
