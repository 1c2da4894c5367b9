"""Instances of an image run in its environment, which is built while they start."""

import os
import sys
from pathlib import Path

import pytest

from clary.engines.machine import Sandboxing
from clary.engines.process import ProcessEngine
from clary.instance.environments.recipe import Recipe
from clary.instance.spec import InstanceSpec
from tests.engines.capability import sandbox_works
from tests.engines.instances import Watch, program, texts
from tests.engines.packages import wheel

OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
USE = (
    "import clary.toolkits, widget\n"
    "print(widget.ANSWER, widget.__file__.startswith(sys.prefix), sys.prefix != '{clary}', 'botocore' in sys.modules)\n"
    "try:\n    import botocore\nexcept ImportError:\n    print('alone')"
)


@pytest.fixture(params=["require", "off"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ProcessEngine:
    """On a machine whose pip knows one version of `widget` and nothing else."""
    sandbox: Sandboxing = request.param
    if sandbox == "require" and not sandbox_works():
        pytest.skip("this machine refuses a sandbox")
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "widget", 7, version="1.2.2")
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(wheels), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    return ProcessEngine(
        tmp_path / "instances", tmp_path / "layers", sandbox, environments_dir=tmp_path / "environments"
    )


def with_image(source: str, version: str) -> InstanceSpec:
    spec = program(source.replace("{clary}", sys.prefix), interpreter="")
    spec.image = Recipe("widgets:1", "Widget", "widget", version, [], [OWN])
    spec.command[0] = "python"
    return spec


def test_the_program_finds_its_image_and_clarys_package_and_nothing_else(engine: ProcessEngine) -> None:
    watch = Watch(engine)
    first, second = with_image(USE, "1.2"), with_image(USE, "1.2")
    status = watch.run(first)
    assert status.outcome == "Completed", status.reason
    assert texts(engine, first)[-2:] == ["7 True True False", "alone"]
    assert any("widget==1.2.2" in line for line in texts(engine, first))
    assert status.entered["Starting"] <= status.entered["Pulling"] <= status.entered["Downloading"]
    again = watch.run(second)
    assert "Pulling" not in again.entered
    assert not any("widget==" in line for line in texts(engine, second))


def test_another_version_than_asked_for_is_the_first_line(engine: ProcessEngine) -> None:
    watch = Watch(engine)
    for _ in range(2):
        spec = with_image("print('ran')", "1.1")
        status = watch.run(spec)
        assert status.outcome == "Completed", status.reason
        assert status.image.startswith("Widget 1.1, which the image widgets:1 names, cannot be had for python")
        assert texts(engine, spec)[0] == status.image


def test_stopped_while_it_is_pulled(engine: ProcessEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where uv takes its time, a stop does not."""
    slow = tmp_path / "uv"
    slow.write_text("#!/bin/sh\necho slow >&2\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr("clary.engines.tools.find_uv", lambda: str(slow))
    watch = Watch(engine)
    spec = with_image("print('never')", "1.2")
    engine.start([spec])
    watch.until(lambda: engine.poll(spec.id).phase == "Pulling")
    engine.stop(spec.id)
    assert watch.done(spec).outcome == "Stopped"


def test_what_cannot_be_pulled_fails_with_the_reason(engine: ProcessEngine) -> None:
    spec = with_image("print('never')", "1.2")
    assert spec.image
    spec.image.requirements.append("gadget")
    status = Watch(engine).run(spec)
    assert status.outcome == "Failed"
    assert status.reason.startswith("InternalServerError: The image widgets:1 (Widget 1.2) could not be downloaded")
    assert "gadget" in status.reason
