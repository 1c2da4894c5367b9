"""The end of a process is told at once, whatever ended it."""

import os
import queue
import signal
import subprocess

import pytest

from clary.engines import ends
from clary.engines.ends import Ends


@pytest.fixture
def ended() -> "queue.Queue[str]":
    return queue.Queue()


@pytest.fixture
def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen(["/bin/sleep", "60"])


def test_a_killed_process_is_told_of(ended: "queue.Queue[str]", sleeper: "subprocess.Popen[bytes]") -> None:
    Ends(ended.put).watch("one", sleeper.pid, lambda: True)
    with pytest.raises(queue.Empty):
        ended.get(timeout=0.1)
    sleeper.kill()
    assert ended.get(timeout=10) == "one"
    sleeper.wait()


def test_one_that_has_ended_already_is_told_of(ended: "queue.Queue[str]") -> None:
    gone = subprocess.Popen(["/bin/true"])
    gone.wait()
    Ends(ended.put).watch("gone", gone.pid, lambda: True)
    assert ended.get(timeout=10) == "gone"


def test_a_pid_that_is_anothers_now_is_told_of(ended: "queue.Queue[str]") -> None:
    Ends(ended.put).watch("former", os.getpid(), lambda: False)
    assert ended.get(timeout=10) == "former"


def test_whom_no_file_can_be_opened_for_is_looked_at(
    ended: "queue.Queue[str]", sleeper: "subprocess.Popen[bytes]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "LOOK_AGAIN", 0.01)
    monkeypatch.setattr(ends, "_open", lambda *_: None)
    watch = Ends(ended.put)
    watch.watch("one", sleeper.pid, lambda: sleeper.poll() is None)
    watch.watch("unknown", 0, lambda: False)
    assert ended.get(timeout=10) == "unknown"
    sleeper.send_signal(signal.SIGKILL)
    assert ended.get(timeout=10) == "one"


def test_trouble_with_one_end_does_not_hide_the_next(ended: "queue.Queue[str]") -> None:
    def fail_first(name: str) -> None:
        ended.put(name)
        raise OSError("disk full")

    watch = Ends(fail_first)
    for name in ("one", "two"):
        watch.watch(name, os.getpid(), lambda: False)
        assert ended.get(timeout=10) == name
