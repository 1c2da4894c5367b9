"""Which GPUs an instance is given. The devices are made up: what is shown here needs none."""

import json
import os
from pathlib import Path

import pytest

from clary.engines import machine
from clary.engines.gpus import Grant, give, offered, visible_devices
from clary.engines.line import NoRoom
from clary.engines.process import ProcessEngine
from clary.instance.node import Node
from clary.instance.sandbox import bubblewrap
from clary.instance.spec import InstanceSpec
from tests.engines.instances import Watch, program, run_lines, texts

WAITS = "print('sees', os.environ.get('CUDA_VISIBLE_DEVICES'))\ntime.sleep(600)\n"


def engine_with(tmp_path: Path, gpus: int, *, oversubscribe: bool = False) -> ProcessEngine:
    capacity = f"vcpus=64,gpus={gpus}"
    return ProcessEngine(
        tmp_path / "instances", tmp_path / "layers", "off", capacity=capacity, oversubscribe=oversubscribe
    )


def given(tmp_path: Path, spec: InstanceSpec) -> list[int]:
    node: dict[str, list[int]] = json.loads((tmp_path / "instances" / spec.id / "node.json").read_text())
    return node["gpus"]


class TestGiving:
    def test_whole_ones_are_nobody_elses(self) -> None:
        first = give(2, [0, 1, 2], [], oversubscribe=False)
        assert first == Grant([0, 1])
        assert give(1, [0, 1, 2], [first], oversubscribe=False) == Grant([2])
        with pytest.raises(NoRoom):
            give(2, [0, 1, 2], [first], oversubscribe=False)

    def test_shares_are_packed_onto_one(self) -> None:
        held = [Grant([1], 0.5)]
        assert give(0.5, [0, 1], held, oversubscribe=False) == Grant([1], 0.5)
        assert give(0.6, [0, 1], held, oversubscribe=False) == Grant([0], 0.6)
        assert give(1, [0, 1], held, oversubscribe=False) == Grant([0])

    def test_two_halves_are_no_whole(self) -> None:
        with pytest.raises(NoRoom):
            give(1, [0, 1], [Grant([0], 0.5), Grant([1], 0.5)], oversubscribe=False)

    def test_those_that_are_there_are_shared_where_that_is_allowed(self) -> None:
        assert give(8, [0], [], oversubscribe=True) == Grant([0])
        assert give(1, [0, 1], [Grant([0]), Grant([0]), Grant([1])], oversubscribe=True) == Grant([1], shared=True)
        assert give(1, [], [], oversubscribe=True) == Grant([])

    def test_an_operator_may_keep_some_back(self) -> None:
        assert offered([3, 5], 1) == [3]
        assert offered([3, 5], 4) == [3, 5, 6, 7]

    def test_numbers_are_those_that_cuda_counts(self) -> None:
        """The driver counts the devices whose files it finds."""
        assert visible_devices(Grant([5]), [3, 5], contained=True)["CUDA_VISIBLE_DEVICES"] == "0"
        assert visible_devices(Grant([5]), [3, 5], contained=False)["CUDA_VISIBLE_DEVICES"] == "1"

    def test_no_gpu_is_seen_by_who_was_given_none(self) -> None:
        assert visible_devices(Grant(), [0], contained=False)["CUDA_VISIBLE_DEVICES"] == ""
        assert visible_devices(Grant(), [0], contained=True) == {}
        assert visible_devices(Grant(), [], contained=False) == {}


def test_each_instance_has_its_own(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, 3)
    watch = Watch(engine)
    one, two, more = program(WAITS, gpus=1), program(WAITS, gpus=2), program("", gpus=1)
    for spec in (one, two, more):
        engine.start([spec])
    watch.printed(one, "sees 0")
    watch.printed(two, "sees 1,2")
    assert engine.poll(more.id).phase == "Pending"
    assert [place.taken.gpus for place in engine.places()] == [3]
    engine.release(two.id)
    assert watch.done(more).outcome == "Completed"
    assert given(tmp_path, more) == [1]
    engine.release(one.id)


def test_they_are_found_again_after_a_restart(tmp_path: Path) -> None:
    engine = engine_with(tmp_path, 2)
    first, half = program(WAITS, gpus=1), program(WAITS, gpus=0.5)
    for spec in (first, half):
        engine.start([spec])
        Watch(engine).until(lambda spec=spec: texts(engine, spec))
    later = engine_with(tmp_path, 2)
    other_half, whole = program(WAITS, gpus=0.5), program(WAITS, gpus=1)
    later.start([other_half])
    later.start([whole])
    assert given(tmp_path, other_half) == given(tmp_path, half) == [1]
    assert later.poll(whole.id).phase == "Pending"
    for spec in (whole, first, half, other_half):
        later.release(spec.id)


def test_says_so_where_others_have_them_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "machine_gpus", lambda: [0])
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")
    watch = Watch(engine)
    first, second = program(WAITS, gpus=1), program("", gpus=4)
    engine.start([first])
    watch.printed(first, "sees 0")
    assert engine.poll(first.id).notices == []
    status = watch.run(second)
    assert status.notices == [
        "The instance has 4 GPUs; this machine has 1.",
        "All GPUs of this machine are taken: the instance shares its own with others.",
    ]
    engine.release(first.id)


def test_an_instance_without_gpus_uses_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "machine_gpus", lambda: [0])
    engine = ProcessEngine(tmp_path / "instances", tmp_path / "layers", "off")
    assert run_lines(engine, "print(repr(os.environ['CUDA_VISIBLE_DEVICES']))") == ["''"]


def test_a_sandbox_shows_the_files_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/dev/nvidia[!0-9]*": ["/dev/nvidiactl", "/dev/nvidia-uvm"], "/dev/dri": [], "/dev/kfd": []}
    monkeypatch.setattr(bubblewrap.glob, "glob", lambda pattern: files[pattern])
    monkeypatch.setattr(os.path, "exists", lambda path: path in ("/dev/nvidia0", "/dev/nvidia1"))
    node = Node("/i", "/l", gpus=[1, 7])
    assert bubblewrap.gpu_devices(node, InstanceSpec("i", [], gpus=1)) == [
        "/dev/nvidia1",
        "/dev/nvidiactl",
        "/dev/nvidia-uvm",
    ]
    assert bubblewrap.gpu_devices(node, InstanceSpec("i", [])) == []
