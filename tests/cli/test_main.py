"""What holds for every command: help, version, errors without tracebacks, a quick start."""

import subprocess
import sys

from clary import __version__
from tests.cli.conftest import Clary

HEAVY = {"asyncio", "boto3", "botocore", "cryptography", "pydantic", "rich", "sqlalchemy", "clary.app"}


def test_version(clary: Clary) -> None:
    assert clary("--version").stdout == f"clary {__version__}\n"


def test_help_lists_the_commands(clary: Clary) -> None:
    shown = clary("--help").stdout
    assert all(command in shown for command in ("up", "env", "status", "logs", "down"))


def test_commands_import_what_they_need_when_they_run() -> None:
    program = "import sys, clary.cli.main; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert HEAVY.isdisjoint(loaded.split())


def test_a_bad_option_is_one_clear_line(clary: Clary) -> None:
    result = clary("up", "--port", "70000")
    assert result.returncode == 1
    assert result.stderr == "clary: --port is 70000: input should be less than or equal to 65535\n"


def test_a_bad_variable_is_named(clary: Clary) -> None:
    result = clary("status", CLARY_ACCOUNT="12")
    assert result.returncode == 1
    assert result.stderr.startswith("clary: CLARY_ACCOUNT is '12': ")


def test_completion_is_typers_own(clary: Clary) -> None:
    shown = clary("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert "_CLARY_COMPLETE=complete_bash" in shown.stdout
