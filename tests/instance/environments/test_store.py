"""Environments of images: the right version or the nearest, built once, whole or not at all. On wheels of our own."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from clary.engines.tools import machine_tools
from clary.images.store import remove_image, stored_images
from clary.instance.environments.recipe import Recipe
from clary.instance.environments.store import Held, provide
from clary.instance.errors import Refused, StopAsked
from clary.instance.node import Tools
from tests.engines.packages import wheel

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"


class Ear:
    """Runs what a build needs and remembers it."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.programs: list[list[str]] = []
        self.stopped = False

    def begin(self) -> None:
        self.said.append("begun")

    def say(self, text: str) -> None:
        self.said.append(text)

    def check(self) -> None:
        if self.stopped:
            raise StopAsked

    def run(self, argv: list[str], environment: Mapping[str, str], *, aloud: bool) -> tuple[int, str]:  # noqa: ARG002
        self.programs.append(argv)
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Of a machine whose pip knows the wheels of `widget` and nothing else."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for answer, version in enumerate(("1.0.1", "1.2.0", "1.2.2", "2.1.0")):
        wheel(wheels, "widget", answer, version=version)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(wheels), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.delenv("UV_CACHE_DIR", raising=False)
    return machine_tools(tmp_path / "environments")


def recipe(version: str, *requirements: str, name: str = "widgets:1") -> Recipe:
    return Recipe(name, "Widget", "widget", version, list(requirements), [OWN])


def answer(held: Held) -> str:
    """What the environment's own `widget` says."""
    return subprocess.run([f"{held.directory}/bin/widget"], capture_output=True, text=True, check=True).stdout.strip()


def test_the_version_that_is_asked_for_is_built_once(tools: Tools) -> None:
    first, second = Ear(), Ear()
    held = provide(tools, recipe("1.2"), first)
    assert (held.image.version, held.image.notice, held.built) == ("1.2.2", "", True)
    assert answer(held) == "2"
    assert first.said[0] == "begun"
    again = provide(tools, recipe("1.2", name="the same by another name"), second)
    assert (again.directory, again.built) == (held.directory, False)
    assert not second.said
    assert not second.programs


def test_what_it_imports_is_compiled(tools: Tools) -> None:
    held = provide(tools, recipe("1.2"), Ear())
    assert list(Path(held.directory).glob("lib/python*/site-packages/__pycache__/widget.*.pyc"))


@pytest.mark.parametrize(("asked", "given"), [("1.1", "1.2.0"), ("0.9.9", "1.0.1"), ("3", "2.1.0")])
def test_the_nearest_is_taken_and_told(tools: Tools, asked: str, given: str) -> None:
    """The next later one, and where there is none the last."""
    ear = Ear()
    held = provide(tools, recipe(asked), ear)
    assert held.image.version == given
    assert f"Widget {asked}" in held.image.notice
    assert f"Widget {given} runs in its place" in held.image.notice
    assert ear.said[1] == held.image.notice


def test_what_cannot_be_had_at_all_is_refused_with_the_reason(tools: Tools) -> None:
    with pytest.raises(
        Refused, match=r"(?s)widgets:1 \(Widget 1\.2\) could not be downloaded.*gadget.*clary images pull"
    ):
        provide(tools, recipe("1.2", "gadget"), Ear())
    assert [each.image for each in stored_images(Path(tools.environments))] == [None]


def test_no_network_is_told_and_not_taken_for_no_version(
    tools: Tools, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    ear = Ear()
    with pytest.raises(Refused, match=r"(?s)could not be downloaded: .*127\.0\.0\.1:9"):
        provide(machine_tools(tmp_path / "environments"), recipe("1.2"), ear)
    assert len(ear.programs) == 1
    assert tools.environments == str(tmp_path / "environments")


def test_many_who_ask_at_once_build_once(tools: Tools) -> None:
    held: list[Held] = []
    threads = [threading.Thread(target=lambda: held.append(provide(tools, recipe("1.2"), Ear()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.built for each in held) == [False, False, False, True]


def test_who_waits_for_another_can_be_stopped(tools: Tools) -> None:
    held = provide(tools, recipe("1.2"), Ear())
    os.unlink(f"{held.directory}/image.json")
    ear = Ear()
    ear.stopped = True
    with pytest.raises(StopAsked):
        provide(tools, recipe("1.2"), ear)


def test_a_build_that_was_killed_is_begun_anew(tools: Tools) -> None:
    """`kill -9` while uv installs: what lies there is half an environment."""
    program = (
        "import os, signal, sys\n"
        "from tests.instance.environments.test_store import *\n"
        "class Killed(Ear):\n"
        "    def run(self, argv, environment, *, aloud):\n"
        "        ended = super().run(argv, environment, aloud=aloud)\n"
        "        if argv[1:3] == ['pip', 'install']: os.kill(os.getpid(), signal.SIGKILL)\n"
        "        return ended\n"
        f"provide(machine_tools(Path({tools.environments!r})), recipe('1.2'), Killed())\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[3], check=False)
    assert ended.returncode == -signal.SIGKILL
    (torn,) = stored_images(Path(tools.environments))
    assert torn.image is None
    # Not through its link, which is uv's cache's too.
    module = next(torn.directory.glob("lib/python*/site-packages/widget.py"))
    module.unlink()
    module.write_text("half a li")
    held = provide(tools, recipe("1.2"), Ear())
    assert held.built
    assert answer(held) == "2"


def test_one_that_is_used_is_not_removed(tools: Tools) -> None:
    began = time.time()
    held = provide(tools, recipe("1.2"), Ear())
    (stored,) = stored_images(Path(tools.environments))
    assert stored.name == "widgets:1"
    assert stored.size > 1000
    assert stored.used > began - 1
    assert not remove_image(Path(tools.environments), stored.key)
    assert answer(held) == "2"
    os.close(held.lock)
    assert remove_image(Path(tools.environments), stored.key)
    assert not stored_images(Path(tools.environments))
    assert provide(tools, recipe("1.2"), Ear()).built
