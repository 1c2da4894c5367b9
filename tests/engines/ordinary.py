"""What an engine does for an ordinary user, where the tests run as root."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import clary

NOBODY = 65534
SUITE = ("tests/__init__.py", "tests/engines/__init__.py", "tests/engines/instances.py")


@contextmanager
def copy_for_everybody(*modules: str) -> Iterator[Path]:
    """A directory of an ordinary user's with Clary's package and the tests' `modules`, wherever the tests lie."""
    with tempfile.TemporaryDirectory(prefix="clary-ordinary-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        shutil.copytree(Path(clary.__file__).parent, directory / "clary", ignore=shutil.ignore_patterns("__pycache__"))
        for path in (*SUITE, *(f"{module.replace('.', '/')}.py" for module in modules)):
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(Path(__file__).parent.parent.parent / path, directory / path)
        for entry in (directory, *directory.rglob("*")):
            os.chown(entry, NOBODY, NOBODY)
        yield directory


def run_as_ordinary_user(module: str) -> list[str]:
    """The lines that a module of the tests prints, run in a directory of its user's. Skips the test where there can be
    no such user, or where the program says so."""
    if os.geteuid():
        pytest.skip("the tests run as an ordinary user anyhow")
    python = next((path for path in (sys.executable, "/usr/bin/python3") if _may_run(path)), None)
    if python is None:
        pytest.skip("an ordinary user has no Python 3.11 or later here")
    with copy_for_everybody(module) as directory:
        ended = _run([python, "-m", module], directory)
        if ended.stderr.startswith("skip: "):
            pytest.skip(ended.stderr)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.splitlines()


def _may_run(python: str) -> bool:
    return _run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"], Path("/")).returncode == 0


def _run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory)}
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env=environment,
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            text=True,
            capture_output=True,
            check=False,
        )
    except PermissionError as error:
        return subprocess.CompletedProcess(command, 126, "", str(error))
