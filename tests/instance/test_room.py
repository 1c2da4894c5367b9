import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from clary.instance.errors import Refused
from clary.instance.room import Room

MIB = 2**20


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How much of the disk is left, as the test says."""
    says = {"bytes": 0}
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=says["bytes"], f_frsize=1))
    return says


def test_only_who_holds_more_than_is_left_has_to_end(left: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2 * MIB)
    for size, refused in ((20 * MIB, False), (3 * MIB, False), (1 * MIB, True)):
        left["bytes"] = size
        assert bool(Room([str(tmp_path)], 10 * MIB).look(lambda: None)) == refused


def test_links_to_what_is_somebody_elses_do_not_count(left: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "channel").mkdir()
    (tmp_path / "channel" / "body").write_bytes(b"x" * 2 * MIB)
    left["bytes"] = MIB
    room = Room([str(tmp_path)], 10 * MIB, {str(tmp_path / "channel")})
    assert room.look(lambda: None) == ""


def test_a_file_of_two_names_counts_once(left: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"x" * 2 * MIB)
    os.link(tmp_path / "one", tmp_path / "two")
    left["bytes"] = 3 * MIB
    assert Room([str(tmp_path)], 10 * MIB).look(lambda: None) == ""
    left["bytes"] = MIB
    with pytest.raises(Refused, match="ClientError: DiskFull"):
        Room([str(tmp_path)], 10 * MIB).check()


def test_no_reserve_is_no_look(left: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 2 * MIB)
    left["bytes"] = 0
    assert Room([str(tmp_path)], 0).look(lambda: None) == ""
