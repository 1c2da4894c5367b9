"""The command line as a user has it: a process with an environment of its own."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Clary = Callable[..., subprocess.CompletedProcess[str]]

COMMAND = Path(sys.executable).with_name("clary")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose name needs quoting in every shell."""
    return tmp_path / "a state's $HOME"


@pytest.fixture
def environment(state: Path) -> dict[str, str]:
    """Nothing of this machine's AWS, Clary or proxy settings; any free port."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "CLARY_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "CLARY_STATE": str(state), "CLARY_PORT": "0", "COLUMNS": "200"}


@pytest.fixture
def clary(environment: dict[str, str]) -> Clary:
    """Runs one command to its end: `clary("env", "--shell", "fish", AWS_PROFILE="mine")`."""

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def credentials(state: Path) -> tuple[str, str]:
    """Keys as the platform leaves them at its first start, with all that a shell could trip over."""
    key, secret = "AKIA'QUOTE", 'a%b/c+$HOME `id` "x" \\'
    state.mkdir(parents=True)
    (state / "credentials").write_text(
        f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    )
    return key, secret


@pytest.fixture
def platform(clary: Clary) -> Iterator[None]:
    """A real platform on `state`, detached; ended after the test."""
    started = clary("up", "--detach")
    assert started.returncode == 0, started.stderr
    yield
    clary("down")
