"""The command line as a user has it: a process with an environment of its own."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.platform import Platform

COMMAND = str(Path(sys.executable).with_name("clary"))


@dataclass(frozen=True)
class Clary:
    """The installed `clary` on one state directory, with nothing of this machine's AWS or proxy settings."""

    state: Path

    def __call__(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run one command to its end: `clary("env", "--shell", "fish", AWS_PROFILE="mine")`."""
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment(**variables),
            capture_output=True,
            text=True,
            timeout=60,
        )

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start one command; its output is a pipe."""
        return subprocess.Popen(
            [COMMAND, *arguments], env=self.environment(), stdout=subprocess.PIPE, text=True, **options
        )

    def environment(self, **variables: str) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("AWS_", "CLARY_")) and not name.lower().endswith("_proxy")
        }
        own = {"CLARY_STATE": str(self.state), "CLARY_PORT": "0", "COLUMNS": "200"}
        return {**kept, **own, **variables}


@pytest.fixture
def clary(tmp_path: Path) -> Clary:
    """On a state directory that is not there yet, and whose name needs quoting in every shell."""
    return Clary(tmp_path / "a state's $HOME")


@pytest.fixture
def running(platform: Platform) -> Clary:
    """On the state directory of the platform that all tests share."""
    return Clary(platform.state)


@pytest.fixture
def keys(clary: Clary) -> tuple[str, str]:
    """Keys as a first start leaves them, with all that a shell could trip over."""
    key, secret = "AKIA'QUOTE", 'a%b/c+$HOME `id` "x" \\'
    clary.state.mkdir(parents=True)
    (clary.state / "credentials").write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    )
    return key, secret
