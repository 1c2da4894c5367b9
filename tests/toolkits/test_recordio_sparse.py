"""Sparse records that are read at once are those that are read one by one."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from clary.toolkits import recordio
from clary.toolkits.protobuf import delimited, encode_varint
from clary.toolkits.recordio import Rows, decode
from clary.toolkits.recordio_columns import BadRecord
from clary.toolkits.recordio_frames import HEADER, MAGIC, MAGIC_BYTES

KINDS = {"<f4": 2, "<f8": 3, "int": 7}
COLUMNS = 40_000
"""Keys take up to three bytes."""


class Layout(NamedTuple):
    kind: str
    label: str
    labels: int
    shape: Sequence[int]


layouts = st.builds(
    Layout,
    st.sampled_from(["<f4", "<f4", "<f8", "int"]),
    st.sampled_from(["", "<f4", "<f8", "int"]),
    st.sampled_from([1, 1, 2]),
    st.sampled_from([(COLUMNS,), (), (200, 200)]),
)
runs = st.lists(st.tuples(layouts, st.integers(1, 60), st.sampled_from([0, 3, 700])), min_size=1, max_size=5)


def packed(numbers: np.ndarray, kind: str) -> bytes:
    whole = b"".join(encode_varint(int(number) % 2**64) for number in numbers)
    return whole if kind == "int" else numbers.astype(kind).tobytes()


def entry(field: int, kind: str, *parts: bytes) -> bytes:
    tensor = b"".join(delimited(number, part) for number, part in enumerate(parts, 1) if part)
    return delimited(field, delimited(1, b"values") + delimited(2, delimited(KINDS[kind], tensor)))


def record(random: np.random.Generator, layout: Layout, most: int) -> bytes:
    keys = np.sort(random.choice(COLUMNS, random.integers(0, most + 1), replace=False))
    keys = keys % random.choice([100, COLUMNS])
    values = random.integers(-9, 10**6, len(keys)) if layout.kind == "int" else random.normal(size=len(keys))
    shape = b"".join(map(encode_varint, layout.shape))
    message = entry(1, layout.kind, packed(values, layout.kind), packed(keys, "int"), shape)
    if layout.label:
        message += entry(2, layout.label, packed(random.integers(0, 1000, layout.labels), layout.label))
    return HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)


def written(seed: int, parts: Sequence[tuple[Layout, int, int]]) -> bytes:
    random = np.random.default_rng(seed)
    return b"".join(record(random, layout, most) for layout, count, most in parts for _ in range(count))


def read(data: bytes, *, one_by_one: bool) -> tuple[list[list[float]], list[list[float]], int] | str:
    """The rows of all records with their places, the labels, and where the rest begins; or what is wrong."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(over="ignore"):
        if one_by_one:
            patch.setattr(recordio, "find", lambda *_: None)
        try:
            found, end = decode(data)
        except BadRecord as error:
            return f"record {error.number}: {error}"
    return [row for each in found for row in rows_of(each)], [row for each in found for row in labels_of(each)], end


def rows_of(rows: Rows) -> list[list[float]]:
    features = csr_matrix(rows.features)
    return [[*row.indices.tolist(), *row.data.tolist()] for row in features]


def labels_of(rows: Rows) -> list[list[float]]:
    return [] if rows.labels is None else rows.labels.reshape(rows.features.shape[0], -1).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), runs)
def test_both_ways_find_the_same_rows(seed: int, parts: Sequence[tuple[Layout, int, int]]) -> None:
    data = written(seed, parts)
    assert read(data, one_by_one=False) == read(data, one_by_one=True)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32 - 1), layouts, st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_both_ways_find_the_same_fault(seed: int, layout: Layout, place: float, change: int) -> None:
    data = bytearray(written(seed, [(layout, 40, 3)]))
    data[int(place * len(data))] ^= change
    assert read(bytes(data), one_by_one=False) == read(bytes(data), one_by_one=True)


def test_most_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [(Layout("<f4", "<f4", 1, (COLUMNS,)), 100, 30), (Layout("<f8", "int", 1, (COLUMNS,)), 100, 30)]
    data = written(1, parts)
    monkeypatch.setattr(recordio, "_one_by_one", lambda _data, offset: ([], offset))
    found, end = decode(data)
    assert (len(found), end) == (2, len(data))


def test_the_magic_number_may_stand_in_a_record() -> None:
    magic = np.frombuffer(MAGIC_BYTES, "<f4")
    message = entry(1, "<f4", packed(np.repeat(magic, 4), "<f4"), bytes(range(4)), b"\x04")
    plain = HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
    data = written(2, [(Layout("<f4", "", 1, (COLUMNS,)), 50, 3)])
    [*found], end = decode(data + plain + data)
    assert end == 2 * len(data) + len(plain)
    assert sum(each.features.shape[0] for each in found) == 101


def test_the_row_that_is_wrong_is_told() -> None:
    layout = Layout("<f4", "", 1, (COLUMNS,))
    message = entry(1, "<f4", bytes(8), b"\x01", b"\x04")
    short = HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
    assert read(written(3, [(layout, 50, 3)]) + short, one_by_one=False) == (
        "record 51: a record has not as many keys as values"
    )
    message = entry(1, "<f4", bytes(4), encode_varint(2**64 - 7), b"\x04")
    below = HEADER.pack(MAGIC, len(message)) + message + b"\0" * (-len(message) % 4)
    assert read(written(3, [(layout, 50, 3)]) + below, one_by_one=False) == (
        "record 51: a record has the key -7, and the first feature's is 0"
    )
