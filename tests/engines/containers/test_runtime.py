"""What is asked of a container runtime, and what is said where there is none."""

import re
from pathlib import Path

import pytest

from clary.engines.choosing import UnknownEngine, open_engine
from clary.engines.containers.engine import ContainerEngine
from clary.engines.containers.options import options
from clary.instance.layout import Layout
from clary.instance.node import Node, Runtime
from clary.instance.own_images.oci import OciImage
from clary.instance.spec import InstanceSpec
from clary.settings import Settings
from tests.engines.runtimes import podman

RUNTIME = Runtime(runner="", address="unix:///none", version="1.41", limits=["memory"], gpus=True)


def test_the_engine_is_chosen_by_its_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with podman() as service:
        assert type(open_engine(Settings(state=tmp_path, engine=f"docker+{service.address}"))) is ContainerEngine
        monkeypatch.setenv("DOCKER_HOST", service.address)
        assert type(open_engine(Settings(state=tmp_path, engine="docker"))) is ContainerEngine


@pytest.mark.parametrize(
    ("address", "word"), [("unix:///no/such.sock", "No container runtime answers"), ("tcp://host:2375", "this machine")]
)
def test_no_runtime_is_told_in_one_line(tmp_path: Path, address: str, word: str) -> None:
    with pytest.raises(UnknownEngine, match=word) as refused:
        open_engine(Settings(state=tmp_path, engine=f"docker+{address}"))
    assert re.search(re.escape(address), str(refused.value))
    assert "\n" not in str(refused.value)


def test_graphics_cards_and_limits_are_asked_for_as_far_as_they_are_there(tmp_path: Path) -> None:
    spec = InstanceSpec("one", [], container=OciImage.named("mine:1"), gpus=2, vcpus=0.5, memory=2**20)
    made = options(spec, Node(_instance(tmp_path), "", runtime=RUNTIME, gpus=[0, 3]), RUNTIME, [])
    assert made["device_requests"] == [{"Driver": "", "DeviceIDs": ["0", "3"], "Capabilities": [["gpu"]]}]
    assert made["mem_limit"] == 2**20
    assert "nano_cpus" not in made


@pytest.mark.parametrize(
    ("entrypoint", "command", "made"),
    [
        (None, ["train"], (None, ["train"])),
        (None, [], (None, None)),
        (["python", "-m"], ["mine"], (["python"], ["-m", "mine"])),
        ([], ["/bin/sh", "-c", "true"], (["/bin/sh"], ["-c", "true"])),
    ],
)
def test_the_entrypoint_is_the_images_unless_it_is_replaced(
    tmp_path: Path, entrypoint: list[str] | None, command: list[str], made: tuple[list[str] | None, list[str] | None]
) -> None:
    spec = InstanceSpec("one", command, container=OciImage.named("mine:1", entrypoint))
    asked = options(spec, Node(_instance(tmp_path), ""), RUNTIME, [])
    assert (asked["entrypoint"], asked["command"]) == made


def test_channels_that_are_links_cannot_be_written_to(tmp_path: Path) -> None:
    spec = InstanceSpec("one", [], container=OciImage.named("mine:1"))
    made = options(spec, Node(_instance(tmp_path), ""), RUNTIME, ["/opt/ml/input/data/train"])
    assert [(mount["Target"], mount["ReadOnly"]) for mount in made["mounts"]] == [
        ("/run/clary", False),
        ("/opt/ml/input", False),
        ("/opt/ml/model", False),
        ("/opt/ml/output", False),
        ("/opt/ml/input/data/train", True),
    ]


def _instance(tmp_path: Path) -> str:
    layout = Layout(str(tmp_path / "instances" / "one"))
    layout.create()
    return layout.root
