"""What comes out of a pipe, from files of this disk and from a server that also fails."""

import gzip
import os
import random
import struct
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from clary.instance.data import feed, streaming, transfer
from clary.instance.data.feed import Feed, decompressed, items_of
from clary.instance.data.streaming import stream
from clary.instance.errors import Refused
from clary.instance.spec import Pipe, Source
from tests.instance.data.test_fetch import WHOLE, Handler, server

__all__ = ["server"]


def fed(pipe: Pipe, scratch: Path, epoch: int = 0) -> bytes:
    """All bytes of an epoch."""
    reader, writer = os.pipe()
    parts: list[bytes] = []

    def read() -> None:
        while part := os.read(reader, 65536):
            parts.append(part)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        Feed(pipe, str(scratch)).send(epoch, writer)
    finally:
        os.close(writer)
        thread.join()
        os.close(reader)
    return b"".join(parts)


def test_a_download_that_broke_off_goes_on(server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BACKOFF", 0.01)
    pipe = Pipe([[Source("x", f"{server}/broken", len(WHOLE))], [Source("y", f"{server}/flaky")]])
    assert fed(pipe, tmp_path) == WHOLE + b"/flaky"
    assert [asked for asked, _ in Handler.ranges] == [f"bytes={len(WHOLE) // 2}-"]


def test_an_object_that_was_replaced_on_the_way_is_refused(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BACKOFF", 0.01)
    with pytest.raises(Refused, match="x: it is another object than the one whose beginning was read"):
        list(stream(Source("x", f"{server}/replaced")))


@pytest.mark.parametrize(
    ("path", "size", "reason"),
    [("missing", 0, r"missing: .*\(404\)"), ("plain", 3, "plain: 6 bytes of 3 came")],
)
def test_what_is_not_there_or_not_whole_is_refused(server: str, path: str, size: int, reason: str) -> None:
    with pytest.raises(Refused, match=f"ClientError: Data download failed: {reason}"):
        list(stream(Source(path, f"{server}/{path}", size)))


def test_no_more_is_held_than_a_chunk() -> None:
    packed = gzip.compress(bytes(2**26), 1)
    longest = max(map(len, decompressed(Source("x", ""), iter([packed]))))
    assert longest <= transfer.CHUNK


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_gzip_comes_in_any_pieces_and_members(cut: int) -> None:
    plain = random.Random(cut).randbytes(3000)
    packed = gzip.compress(plain) + gzip.compress(b"") + gzip.compress(b"end") + bytes(5)
    pieces = [packed[at : at + cut] for at in range(0, len(packed), cut)]
    assert b"".join(decompressed(Source("x", ""), iter(pieces))) == plain + b"end"


def test_gzip_that_is_cut_short_is_refused() -> None:
    with pytest.raises(Refused, match="x: its gzip is cut short"):
        list(decompressed(Source("x", ""), iter([gzip.compress(b"something")[:-3]])))


def test_records_of_what_has_no_known_length(server: str, tmp_path: Path) -> None:
    (tmp_path / "local").write_bytes(b"12345")
    items = [[Source("a", f"{server}/plain"), Source("b", "", text="é")], [Source("c", str(tmp_path / "local"))]]
    expected = [b"/plain\0\0", "é".encode() + b"\0\0", b"12345\0\0\0"]
    lengths = [6, 2, 5]
    framed = [struct.pack("<II", 0xCED7230A, size) + body for size, body in zip(lengths, expected, strict=True)]
    assert fed(Pipe(items, recordio=True), tmp_path) == b"".join(framed)


def test_what_is_too_long_for_a_record_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(feed.LONGEST_RECORD + 1)
    with pytest.raises(Refused, match="huge: it has 536870912 bytes, and a record of RecordIO at most 536870911"):
        fed(Pipe([[Source("huge", str(tmp_path / "huge"))]], recordio=True), tmp_path)


def test_a_reader_that_has_enough_is_told_apart_from_what_fails(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(2**21))
    reader, writer = os.pipe()
    os.close(reader)
    for size in (True, False):
        with pytest.raises(BrokenPipeError):
            Feed(Pipe([[Source("a", str(tmp_path / "a"))]], recordio=size), str(tmp_path)).send(0, writer)
    with pytest.raises(Refused, match="b: No such file or directory"):
        Feed(Pipe([[Source("b", str(tmp_path / "b"))]]), str(tmp_path)).send(0, writer)
    os.close(writer)


@pytest.mark.parametrize("order", [lambda items: items, lambda items: items[::-1]])
def test_places_share_each_epoch_without_gap_or_overlap(order: Callable[[list[int]], list[int]]) -> None:
    items = [[Source(str(number), "", text=str(number))] for number in order(list(range(11)))]
    for epoch in range(3):
        shares = [items_of(Pipe(items, seed=5, place=place, places=3), epoch) for place in range(3)]
        names = sorted(int(item[0].name) for share in shares for item in share)
        assert names == list(range(11))
