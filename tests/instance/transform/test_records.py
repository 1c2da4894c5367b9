"""Objects cut into payloads, wherever the chunks that they come in end."""

import struct
from collections.abc import Iterator

import pytest

from clary.instance.transform.records import MAGIC, BadInput, batches


def cut(data: bytes, split: str, *, size: int, single: bool = False, limit: int = 0) -> list[bytes]:
    def chunks() -> Iterator[bytes]:
        for start in range(0, len(data), size):
            yield data[start : start + size]

    return list(batches(chunks(), split, single=single, limit=limit))


def recordio(data: bytes, part: int = 0) -> bytes:
    return struct.pack("<II", MAGIC, part << 29 | len(data)) + data + bytes(-len(data) % 4)


def tfrecord(data: bytes) -> bytes:
    return struct.pack("<QI", len(data), 1) + data + struct.pack("<I", 2)


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_lines_go_together_as_far_as_they_fit(size: int) -> None:
    data = b"aa\nbbb\r\nc\n\n\ndddd\n"
    assert cut(data, "None", size=size) == [data]
    assert cut(data, "Line", size=size) == [b"aa\nbbb\r\nc\n\n\ndddd"]
    assert cut(data, "Line", size=size, limit=7) == [b"aa\nbbb", b"c", b"dddd"]
    assert cut(data, "Line", size=size, single=True, limit=4) == [b"aa", b"bbb", b"c", b"dddd"]
    assert cut(b"\n\n", "Line", size=size) == cut(b"", "None", size=size) == []


@pytest.mark.parametrize("size", [1, 5, 1000])
def test_framed_records_are_whole_together_and_bare_alone(size: int) -> None:
    for split, frame in (("RecordIO", recordio), ("TFRecord", tfrecord)):
        records = [b"one", b"", b"three"]
        framed = [frame(record) for record in records]
        data = b"".join(framed)
        assert cut(data, split, size=size) == [data]
        assert cut(data, split, size=size, single=True) == records
        two = len(framed[0] + framed[1])
        assert cut(data, split, size=size, limit=two) == [framed[0] + framed[1], framed[2]]
    # What holds the magic number itself is cut there.
    parts = recordio(b"ab", 1) + recordio(b"cd", 2) + recordio(b"ef", 3)
    assert cut(parts, "RecordIO", size=size, single=True) == [struct.pack("<I", MAGIC).join([b"ab", b"cd", b"ef"])]


@pytest.mark.parametrize(
    ("data", "split", "why"),
    [
        (b"x" * 9, "None", "larger than MaxPayloadInMB"),
        (b"x" * 9 + b"\n", "Line", "a record that is larger"),
        (recordio(b"x" * 9), "RecordIO", "a record that is larger"),
        (tfrecord(b"x" * 9), "TFRecord", "a record that is larger"),
        (b"12345678", "RecordIO", "not RecordIO"),
        (recordio(b"abcd", 2)[:8], "RecordIO", "not RecordIO"),
    ],
)
@pytest.mark.parametrize("single", [False, True])
def test_what_cannot_be_cut_says_why(data: bytes, split: str, why: str, single: bool) -> None:
    with pytest.raises(BadInput, match=why):
        cut(data, split, size=4, single=single, limit=8)


def test_a_record_that_is_cut_short_is_noticed() -> None:
    for split, data in (("RecordIO", recordio(b"abcde")), ("TFRecord", tfrecord(b"abcde"))):
        with pytest.raises(BadInput, match="cut short"):
            cut(data[:-1], split, size=4)
