"""Amazon's RecordIO-protobuf, the format that many built-in algorithms share.

    file: (magic, length, record, padding to 4)*        record: protobuf message `Record`

Framing: https://mxnet.apache.org/versions/1.9/api/architecture/note_data_loading. Message:
`aialgs.data.Record`, https://docs.aws.amazon.com/sagemaker/latest/dg/cdf-training.html. A record's
features and label are tensors, dense or sparse (with keys), of which the one named "values" counts. The
message has four fields of interest; reading them by hand spares the protobuf runtime.
"""

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

MAGIC = 0xCED7230A
LENGTH_BITS = (1 << 29) - 1
"""The upper three bits of a length say how a record continues; a record of the platform's never does."""

VARINT, FIXED64, DELIMITED, FIXED32 = 0, 1, 2, 5
TENSORS = {2: "<f4", 3: "<f8", 7: None}
"""Field of `Value` → type of its packed values; the integers of field 7 are varints."""

Array = NDArray[np.float32]


def read_recordio(data: bytes) -> tuple[Array | csr_matrix, Array]:
    """Features, dense or sparse as the records are, and labels (empty where there are none)."""
    rows: list[tuple[Array, NDArray[np.int64] | None, int]] = []
    labels: list[float] = []
    for record in _records(data):
        fields = dict(_map_entries(record))
        if (1, "values") not in fields:
            raise ValueError("a record has no feature tensor named 'values'")
        rows.append(_tensor(fields[1, "values"]))
        if (2, "values") in fields:
            labels.extend(_tensor(fields[2, "values"])[0].tolist())
    return _matrix(rows), np.array(labels, dtype=np.float32)


def _records(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(data):
        if len(data) - offset < 8:
            raise ValueError("the last record is cut short")
        magic, length = struct.unpack_from("<II", data, offset)
        if magic != MAGIC:
            raise ValueError(f"no RecordIO record begins at byte {offset}")
        length &= LENGTH_BITS
        record = data[offset + 8 : offset + 8 + length]
        if len(record) < length:
            raise ValueError("the last record is cut short")
        yield record
        offset += 8 + (length + 3) // 4 * 4


def _map_entries(record: bytes) -> Iterator[tuple[tuple[int, str], bytes]]:
    """The entries of `features` (1) and `label` (2): (field, key) → encoded `Value`."""
    for field, entry in _fields(record):
        if field in (1, 2):
            parts = dict(_fields(entry))
            yield (field, parts.get(1, b"").decode()), parts.get(2, b"")


def _tensor(value: bytes) -> tuple[Array, NDArray[np.int64] | None, int]:
    """Values, their keys where the tensor is sparse, and its width where its shape tells it."""
    for field, tensor in _fields(value):
        if field in TENSORS:
            chunks: dict[int, bytes] = {}
            for part, content in _fields(tensor):
                chunks[part] = chunks.get(part, b"") + content
            packed, kind = chunks.get(1, b""), TENSORS[field]
            values = np.array(_varints(packed)) if kind is None else np.frombuffer(packed, kind)
            keys = np.array(_varints(chunks[2]), dtype=np.int64) if 2 in chunks else None
            shape = _varints(chunks.get(3, b""))
            return values.astype(np.float32), keys, int(np.prod(shape)) if shape else 0
    raise ValueError("a record's tensor is neither float32, float64 nor int32")


def _matrix(rows: list[tuple[Array, NDArray[np.int64] | None, int]]) -> Array | csr_matrix:
    if not rows:
        return np.empty((0, 0), dtype=np.float32)
    if all(keys is None for _, keys, _ in rows):
        return np.vstack([values for values, _, _ in rows])
    indices = [np.arange(len(values)) if keys is None else keys for values, keys, _ in rows]
    width = max(
        max(width, int(keys.max()) + 1 if len(keys) else 0) for (_, _, width), keys in zip(rows, indices, strict=True)
    )
    ends = np.cumsum([0, *(len(keys) for keys in indices)])
    values = np.concatenate([values for values, _, _ in rows])
    return csr_matrix((values, np.concatenate(indices), ends), shape=(len(rows), width))


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message; of a repeated number that came unpacked, its bytes."""
    offset = 0
    while offset < len(message):
        tag, offset = _varint(message, offset)
        wire = tag & 7
        if wire == DELIMITED:
            length, offset = _varint(message, offset)
        elif wire == VARINT:
            length = _varint(message, offset)[1] - offset
        elif wire in (FIXED32, FIXED64):
            length = 4 if wire == FIXED32 else 8
        else:
            raise ValueError(f"not a protobuf message: wire type {wire}")
        if offset + length > len(message):
            raise ValueError("a record's message is cut short")
        yield tag >> 3, message[offset : offset + length]
        offset += length


def _varints(packed: bytes) -> list[int]:
    numbers, offset = [], 0
    while offset < len(packed):
        number, offset = _varint(packed, offset)
        # Negative int32 travel as 64-bit two's complement.
        numbers.append(number - (1 << 64) if number >> 63 else number)
    return numbers


def _varint(data: bytes, offset: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        if offset >= len(data):
            raise ValueError("a record's message is cut short")
        byte = data[offset]
        offset += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, offset
        shift += 7
