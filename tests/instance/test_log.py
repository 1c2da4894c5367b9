from pathlib import Path

import pytest

from clary.instance import log as log_module
from clary.instance.log import LONGEST, Log, Stream


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(log_module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def hints() -> list[int]:
    return []


@pytest.fixture
def log(tmp_path: Path, hints: list[int]) -> Log:
    return Log(str(tmp_path / "log"), lambda: hints.append(1))


def written(tmp_path: Path) -> list[bytes]:
    return [line.partition(b"\t")[2] for line in (tmp_path / "log").read_bytes().splitlines()]


def test_a_line_in_pieces_is_one_line(log: Log, tmp_path: Path) -> None:
    stream = Stream(log)
    for piece in (b"on", b"e\ntw", b"o\n"):
        stream.feed(piece)
    assert written(tmp_path) == [b"one", b"two"]


def test_an_unfinished_line_falls_due_when_idle(log: Log, clock: list[float]) -> None:
    stream = Stream(log)
    assert stream.due is None
    stream.feed(b"? ")
    assert stream.due == clock[0] + log_module.IDLE


def test_a_busy_progress_bar_falls_due_all_the_same(log: Log, clock: list[float], tmp_path: Path) -> None:
    stream = Stream(log)
    began = clock[0]
    for percent in range(20):
        clock[0] += 0.1
        stream.feed(b"\r%d%%" % percent)
    assert stream.due is not None
    assert stream.due <= began + 0.1 + log_module.REDRAW
    stream.flush()
    assert written(tmp_path) == [b"19%"]


def test_long_lines_are_cut_between_characters(log: Log, tmp_path: Path) -> None:
    text = ("é" * LONGEST).encode()
    stream = Stream(log)
    for start in range(0, len(text), 65_537):
        stream.feed(text[start : start + 65_537])
    stream.feed(b"\n")
    lines = written(tmp_path)
    assert b"".join(lines) == text
    assert all(len(line) <= LONGEST for line in lines)
    assert "\ufffd" not in b"".join(lines).decode()


def test_hints_are_rare_and_none_is_forgotten(log: Log, clock: list[float], hints: list[int]) -> None:
    for _ in range(100):
        log.append([b"x"])
    assert len(hints) == 1
    assert log.due is not None
    clock[0] = log.due
    log.settle(clock[0])
    assert len(hints) == 2
    assert log.due is None
