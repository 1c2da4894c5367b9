import tarfile
from pathlib import Path

import pytest

from clary.instance.data.packing import pack, unpack
from clary.instance.errors import Refused

SIZE = 64 * 2**20


class Limited:
    """A check that refuses once it was called a number of times."""

    def __init__(self, calls: int) -> None:
        self.left = calls

    def __call__(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Refused("enough")


def test_one_huge_member_does_not_escape_the_check(tmp_path: Path) -> None:
    """64 MiB of zeros are 64 KiB of an archive."""
    (tmp_path / "zeros").touch()
    with open(tmp_path / "zeros", "r+b") as file:
        file.truncate(SIZE)
    with tarfile.open(tmp_path / "bomb.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "zeros", "zeros")
    with pytest.raises(Refused, match="enough"):
        unpack(str(tmp_path / "bomb.tar.gz"), str(tmp_path / "into"), Limited(4))
    assert sum(path.stat().st_size for path in (tmp_path / "into").iterdir()) < SIZE


def test_packing_is_checked_too(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "noise").write_bytes(bytes(range(256)) * 1000)
    with pytest.raises(Refused, match="enough"):
        pack(str(tmp_path / "model"), str(tmp_path), str(tmp_path / "model.tar.gz"), Limited(0))
    assert not (tmp_path / "model.tar.gz").exists()
