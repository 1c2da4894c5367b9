"""Small files are whole or not there, whoever else writes them."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from clary.files import create_atomically, write_atomically


def test_a_file_is_replaced_whole_and_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    for text in ("first ü", "second"):
        write_atomically(str(path), text, durable=True)
        assert path.read_text(encoding="utf-8") == text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["status.json"]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    """The directory may be one that a job writes to."""
    victim = tmp_path / "victim"
    victim.write_text("precious")
    path = tmp_path / "status.json"
    path.symlink_to(victim)
    write_atomically(str(path), "new")
    assert (victim.read_text(), path.read_text(), path.is_symlink()) == ("precious", "new", False)


def test_many_writers_of_one_file_leave_what_one_of_them_wrote(tmp_path: Path) -> None:
    path = tmp_path / "file"
    texts = [str(number) * 10_000 for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda text: write_atomically(str(path), text), texts * 10))
    assert path.read_text() in texts
    assert os.listdir(tmp_path) == ["file"]


def test_a_file_that_is_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: create_atomically(str(path), bytes([number])), range(50)))
    first = path.read_bytes()
    create_atomically(str(path), b"other")
    assert path.read_bytes() == first
    assert os.listdir(tmp_path) == ["secret"]
