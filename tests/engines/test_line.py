"""The line itself, with instances that are only names; what engines make of it is in `conformance_line.py`."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from clary.engines import line as line_module
from clary.engines.answers import Place, Resources
from clary.engines.line import Line, NoRoom
from clary.instance.spec import InstanceSpec


class Machine:
    """Room for one; what is started stays until it is taken from `running`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running: list[str] = []
        self.began: list[str] = []
        self.trouble: list[Exception] = []
        self.tried = threading.Event()

    def line(self, *, oversubscribe: bool = False, started: Sequence[str] = ()) -> Line:
        made = Line(self.directory, self.places, self.start, oversubscribe=oversubscribe)
        made.take_up(started)
        return made

    def places(self) -> list[Place]:
        return [Place("here", Resources(1.0), Resources(float(len(self.running))))]

    def start(self, gang: Sequence[InstanceSpec], _where: Sequence[str] | None, _since: float) -> None:
        if self.trouble:
            raise self.trouble.pop()
        self.running += [spec.id for spec in gang]
        self.began += [spec.id for spec in gang]
        self.tried.set()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "line")


def join(line: Line, *names: str) -> None:
    for name in names:
        line.join([InstanceSpec(name, [])])


def test_nobody_is_written_down_who_need_not_wait(machine: Machine) -> None:
    line = machine.line()
    join(line, "one")
    assert machine.began == ["one"]
    assert not machine.directory.exists()


def test_who_was_started_when_the_crash_came_is_not_started_behind_others(machine: Machine) -> None:
    """The ticket is there still, and so are the instances: their room is theirs."""
    join(machine.line(), "running", "begun", "next")
    later = machine.line(started=["begun"])
    assert machine.began == ["running", "begun"]
    assert later.gangs() == [["next"]]


def test_a_place_with_less_room_than_it_seemed_leaves_all_as_it_was(machine: Machine) -> None:
    line = machine.line()
    join(line, "running", "waits")
    machine.running.clear()
    machine.trouble.append(NoRoom())
    line.look()
    assert line.gangs() == [["waits"]]
    line.look()
    assert machine.began == ["running", "waits"]


def test_trouble_is_tried_again(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "RETRY", 0.01)
    line = machine.line()
    join(line, "running", "waits")
    machine.running.clear()
    machine.tried.clear()
    machine.trouble.append(OSError("the disk is full"))
    line.look()
    assert machine.tried.wait(10)
    assert machine.began == ["running", "waits"]


def test_trouble_that_many_see_is_tried_again_once(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_module, "RETRY", 600.0)
    line = machine.line()
    join(line, "running", "waits")
    machine.running.clear()
    machine.trouble = [OSError("no more processes") for _ in range(20)]
    before = set(threading.enumerate())
    for _ in range(20):
        line.look()
    assert len(set(threading.enumerate()) - before) == 1


def test_who_waited_starts_where_all_may_start_now(machine: Machine) -> None:
    join(machine.line(), "running", "one", "two")
    machine.line(oversubscribe=True)
    assert machine.began == ["running", "one", "two"]


def test_who_only_lets_go_starts_nobody(machine: Machine) -> None:
    join(machine.line(), "running", "one", "two")
    other = Line(machine.directory, machine.places, machine.start, oversubscribe=True)
    other.release("one")
    other.look()
    assert machine.began == ["running"]
    assert other.instances() == ["two"]


@pytest.mark.parametrize("leave", [Line.stop, Line.release])
def test_who_leaves_lets_the_next_come_first(machine: Machine, leave: Callable[[Line, str], bool]) -> None:
    line = machine.line()
    line.join([InstanceSpec("running", [])])
    join(line, "one", "two")
    assert leave(line, "one")
    machine.running.clear()
    line.look()
    assert machine.began == ["running", "two"]
    assert not leave(line, "two")
