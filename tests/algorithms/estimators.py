"""Jobs of an algorithm through the SDK's generic Estimator."""

import json
from pathlib import Path
from typing import Any

from tests.clients.programs import client_program, run
from tests.platform import Platform

PROGRAM = str(Path(__file__).parent / "programs" / "estimator.py")
PATIENCE = 1200.0
"""Seconds: networks take minutes, and longer where others work on the same machine."""


def estimate(platform: Platform, directory: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Train, deploy, ask, delete: as the program says that stands for it."""
    description = directory / "asked.json"
    description.write_text(json.dumps(asked))
    command = [client_program("v2", "python"), PROGRAM, str(description)]
    printed = run(command, platform.program_environment(), directory, PATIENCE)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found
