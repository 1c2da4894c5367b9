import os
from pathlib import Path

import pytest

from clary.engines.process import ProcessEngine
from clary.instance.sandbox import cgroups
from clary.instance.sandbox.cgroups import Group
from tests.engines.instances import Watch, program, texts

MIB = 2**20


def limited(name: str) -> Group:
    group = Group.create(name, vcpus=0.5, memory=256 * MIB)
    if group.notice:
        pytest.skip(group.notice)
    return group


def test_limits_and_removes() -> None:
    group = limited("test-limits")
    try:
        files = {name for directory in group.directories for name in os.listdir(directory)}
        assert files & {"memory.max", "memory.limit_in_bytes"}
        assert files & {"cpu.max", "cpu.cfs_quota_us"}
        assert not group.out_of_memory()
    finally:
        group.remove()
    assert not any(os.path.exists(directory) for directory in group.directories)


def test_says_so_where_there_are_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroups, "ROOT", str(tmp_path))
    monkeypatch.setattr(cgroups, "_own_groups", lambda: {"": "/"})
    group = Group.create("test-none", vcpus=0.5, memory=256 * MIB)
    assert group.directories == []
    assert group.notice.startswith("No CPU or memory limit here")


@pytest.mark.parametrize("sandbox", ["auto", "off"])
def test_too_much_memory_is_told(sandbox: str, tmp_path: Path) -> None:
    limited("test-probe").remove()
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", sandbox)  # type: ignore[arg-type]
    spec = program("print('begin', flush=True)\nkept = b'x' * 2**30\nprint('never')", memory=256 * MIB, vcpus=0.5)
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert status.reason == (
        "AlgorithmError: OutOfMemoryError: the program used more than the 0.25 GiB of its instance, exit code: 137"
    )
    assert texts(engine, spec)[-1] == "begin"
