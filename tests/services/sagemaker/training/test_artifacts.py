"""What several instances left, as one archive."""

import os
import tarfile
from pathlib import Path

from clary.instance.data.packing import pack
from clary.services.sagemaker.training.artifacts import merge


def packed(directory: Path, name: str, files: dict[str, str]) -> Path:
    source = directory / f"source-{name}"
    for path, text in files.items():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        (source / path).write_text(text)
    result = directory / f"{name}.tar.gz"
    assert pack(str(source), str(directory), str(result), lambda: None)
    return result


def contents(archive: Path) -> dict[str, str]:
    with tarfile.open(archive) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if not member.isdir()}
        return {name: file.read().decode() for name, file in files.items() if file}


def test_files_of_all_are_in_one(tmp_path: Path) -> None:
    archives = [
        packed(tmp_path, "one", {"shard-1": "a", "deep/x": "1"}),
        packed(tmp_path, "two", {"shard-2": "b", "deep/y": "2"}),
    ]
    assert merge(archives, tmp_path / "merged") == [[], []]
    assert contents(tmp_path / "merged") == {"shard-1": "a", "deep/x": "1", "shard-2": "b", "deep/y": "2"}
    with tarfile.open(tmp_path / "merged") as tar:
        assert tar.getnames().count("deep") == 1
        tar.extractall(tmp_path / "out", filter="data")


def test_the_lowest_instance_keeps_a_name_and_the_others_are_told(tmp_path: Path) -> None:
    archives = [
        packed(tmp_path, "one", {"weights": "first", "a": "file"}),
        packed(tmp_path, "two", {"weights": "second", "a/below": "no", "own": "yes"}),
        packed(tmp_path, "three", {"a": "no"}),
    ]
    assert merge(archives, tmp_path / "merged") == [[], ["a", "a/below", "weights"], ["a"]]
    assert contents(tmp_path / "merged") == {"weights": "first", "a": "file", "own": "yes"}
    with tarfile.open(tmp_path / "merged") as tar:
        tar.extractall(tmp_path / "out", filter="data")


def test_a_second_name_of_a_file_that_is_left_out_keeps_its_bytes(tmp_path: Path) -> None:
    one = packed(tmp_path, "one", {"a": "first"})
    source = tmp_path / "source-two"
    source.mkdir()
    (source / "a").write_text("second")
    os.link(source / "a", source / "b")
    two = tmp_path / "two.tar.gz"
    assert pack(str(source), str(tmp_path), str(two), lambda: None)
    assert merge([one, two], tmp_path / "merged") == [[], ["a"]]
    assert contents(tmp_path / "merged") == {"a": "first", "b": "second"}
