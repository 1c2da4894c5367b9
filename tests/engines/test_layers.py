"""Requirements: installed once into a cached layer, with a sandbox and without."""

import os
import sys
from pathlib import Path

import pytest

from clary.engines.machine import Sandboxing
from clary.engines.process import ProcessEngine
from clary.instance.environments.recipe import Recipe
from clary.instance.spec import InstanceSpec, InstanceStatus
from tests.engines.capability import sandbox_works
from tests.engines.instances import Watch, program, texts
from tests.engines.packages import wheel

REQUIREMENTS = "/opt/ml/code/requirements.txt"
OWN = f"{sys.version_info.major}.{sys.version_info.minor}"
USE = "import clary_test_layer as layer\nprint(layer.ANSWER)\nos.execvp('clary_test_layer', ['clary_test_layer'])"


@pytest.fixture(params=["require", "off"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> ProcessEngine:
    sandbox: Sandboxing = request.param
    if sandbox == "require" and not sandbox_works():
        pytest.skip("this machine refuses a sandbox")
    return ProcessEngine(tmp_path / "instances", tmp_path / "layers", sandbox)


@pytest.fixture
def watch(engine: ProcessEngine) -> Watch:
    return Watch(engine)


def with_requirements(source: str, text: str, *visible: Path) -> InstanceSpec:
    return program(
        source, files={REQUIREMENTS: text}, requirements=[REQUIREMENTS], visible=[str(path) for path in visible]
    )


def layers(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "layers").iterdir() if path.is_dir()]


def staging_seconds(status: InstanceStatus) -> float:
    return status.entered["Running"] - status.entered["Downloading"]


def test_installs_once(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    package = wheel(tmp_path, "clary_test_layer", 7, requires="pip")
    first = with_requirements(USE, f"--no-index\nclary_test_layer @ file://{package}\n", package)
    status = watch.run(first)
    assert status.outcome == "Completed", status.reason
    assert texts(engine, first)[-2:] == ["7", "7"]
    installed = [line for line in texts(engine, first) if line.startswith(" + ")]
    assert len(installed) == 1, "pip is there already"
    assert installed[0].startswith(" + clary-test-layer==1.0")
    second = with_requirements(USE, f"--no-index\nclary_test_layer @ file://{package}\n", package)
    again = watch.run(second)
    assert texts(engine, second) == ["7", "7"]
    assert staging_seconds(again) < staging_seconds(status) / 2
    assert len(layers(tmp_path)) == 1


def test_two_at_once_install_once(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    package = wheel(tmp_path, "clary_test_layer", 8)
    specs = [with_requirements(USE, f"--no-index\n{package}\n", package) for _ in range(2)]
    for spec in specs:
        engine.start([spec])
    for spec in specs:
        assert watch.done(spec).outcome == "Completed"
        assert texts(engine, spec)[-2:] == ["8", "8"]
    installs = [line for spec in specs for line in texts(engine, spec) if line.startswith(" + clary-test-layer")]
    assert len(installs) == 1


def test_what_cannot_be_installed_fails_with_the_reason(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    spec = with_requirements("print('never')", "--no-index\nclary-no-such-package==1\n")
    status = watch.run(spec)
    assert status.outcome == "Failed"
    assert status.reason.startswith("AlgorithmError: InstallRequirementsError: could not install /opt/ml/code/")
    assert "clary-no-such-package" in status.reason
    assert "never" not in texts(engine, spec)
    assert not any((layer / "complete").exists() for layer in layers(tmp_path))


def test_an_interrupted_layer_is_built_anew(engine: ProcessEngine, watch: Watch, tmp_path: Path) -> None:
    package = wheel(tmp_path, "clary_test_layer", 9)
    watch.run(with_requirements(USE, f"--no-index\n{package}\n", package))
    (layer,) = layers(tmp_path)
    os.unlink(layer / "complete")
    (next(layer.glob("lib/*/site-packages")) / "clary_test_layer.py").write_text("half a li")
    spec = with_requirements(USE, f"--no-index\n{package}\n", package)
    assert watch.run(spec).outcome == "Completed"
    assert texts(engine, spec)[-2:] == ["9", "9"]


def test_another_version_than_the_images_own_goes_into_the_layer(
    engine: ProcessEngine, watch: Watch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image has 1.0; a job that asks for 2 gets it, and the next one still finds 1.0."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel(wheels, "clary_test_layer", 1)
    for name, value in {"NO_INDEX": "1", "FIND_LINKS": str(wheels), "CONFIG_FILE": os.devnull}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    source = (
        "import clary_test_layer as layer, importlib.metadata as m\nprint(layer.ANSWER, m.version('clary_test_layer'))"
    )

    def run(requirements: str) -> str:
        spec = with_requirements(source, requirements)
        spec.image = Recipe("layers:1", "Layer", "clary-test-layer", "1.0", [], [OWN])
        spec.command[0] = "python"
        status = watch.run(spec)
        assert status.outcome == "Completed", status.reason
        return texts(engine, spec)[-1]

    assert run("clary-test-layer\n") == "1 1.0"
    wheel(wheels, "clary_test_layer", 2, version="2.0")
    assert run("clary-test-layer>=2\n") == "2 2.0"
    assert run("clary-test-layer>=1\n") == "1 1.0"
    assert [path for path in (tmp_path / "layers").rglob("*.dist-info") if "clary" not in path.name] == []
