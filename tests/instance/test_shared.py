"""Directories that the first who needs one makes, and all others use."""

import fcntl
import threading
from pathlib import Path

import pytest

from clary.instance import shared
from clary.instance.shared import hold


class Silent:
    def __init__(self) -> None:
        self.waits = threading.Event()

    def begin(self) -> None:
        self.waits.set()

    def say(self, text: str) -> None: ...

    def check(self) -> None: ...


def test_who_waits_to_make_it_uses_what_another_made_and_still_uses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both find nothing; one makes it, and keeps its lock for as long as it runs."""
    both, come, take = threading.Barrier(2), threading.local(), shared._try

    def try_together(lock: int, kind: int) -> bool:
        if kind == fcntl.LOCK_EX and not hasattr(come, "before"):
            come.before = True
            both.wait(10)
        return take(lock, kind)

    monkeypatch.setattr(shared, "_try", try_together)
    directory = tmp_path / "made"
    found: list[bool] = []

    def make() -> None:
        while not any(ear.waits.wait(0.05) for ear in ears):
            pass
        directory.mkdir()
        (directory / "mark").touch()

    def ask(ear: Silent) -> None:
        found.append(hold(str(directory), "mark", ear, make)[1])

    ears = [Silent(), Silent()]
    threads = [threading.Thread(target=ask, args=(ear,), daemon=True) for ear in ears]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(found) == [False, True]
