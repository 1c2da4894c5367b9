"""Environments of images for tests: the user's own, so that each is built once on a machine."""

import functools
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest

import clary
from clary.engines.tools import machine_tools
from clary.images.table import find_recipe
from clary.instance.environments.store import provide
from clary.instance.errors import Refused
from clary.settings import Settings


class _Builder:
    def begin(self) -> None: ...

    def say(self, text: str) -> None: ...

    def check(self) -> None: ...

    def run(self, argv: list[str], environment: Mapping[str, str], *, aloud: bool) -> tuple[int, str]:  # noqa: ARG002
        ended = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
        return ended.returncode, ended.stderr


@functools.cache
def python_of(image: str) -> str:
    """The python of an image's environment, which is kept from removal for as long as the tests run."""
    try:
        return provide(machine_tools(Settings().environments), find_recipe(image), _Builder()).python
    except Refused as refused:
        pytest.fail(f"This test needs the image {image}. {refused}")


@functools.cache
def clary_alone() -> str:
    """A directory that makes Clary's package, and none that it stands beside, importable."""
    directory = Path(tempfile.mkdtemp(prefix="clary-alone-"))
    (directory / "clary").symlink_to(Path(clary.__file__).parent)
    return str(directory)
