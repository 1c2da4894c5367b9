"""Many small jobs of algorithms in little time: `programs/forge.py`, in one environment."""

import base64
import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.environments import clary_alone

PROGRAM = Path(__file__).parent / "programs" / "forge.py"

Asked = tuple[str, str, bytes]
"""Content type, what is accepted, body."""
Answer = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    """As a shell has it, negative where a signal ended it: SIGALRM where it hung."""
    output: str
    failure: str
    """What it left in /opt/ml/output/failure."""


class Forge:
    """One process, from which jobs are forked."""

    def __init__(self, python: str) -> None:
        """`python` is that of an environment."""
        self._process = subprocess.Popen(
            [python, str(PROGRAM)],
            env={
                **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
                "PYTHONPATH": clary_alone(),
                "OMP_NUM_THREADS": "1",
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def train(self, algorithm: str, roots: Sequence[Path]) -> list[Ended]:
        """What came of the jobs whose /opt/ml lies there, some of them at once."""
        found = self._run([{"algorithm": algorithm, "root": str(root)} for root in roots])
        return [
            Ended(each["status"], each["output"], _text(root / "output/failure"))
            for root, each in zip(roots, found, strict=True)
        ]

    def ask(self, algorithm: str, root: Path, asked: Sequence[Asked]) -> list[Answer]:
        """What the model that lies there says itself, with no server around it."""
        packed = [(kind, accept, base64.b64encode(body).decode()) for kind, accept, body in asked]
        [found] = self._run([{"algorithm": algorithm, "root": str(root), "asked": packed}])
        assert found["status"] == 0, found["output"]
        return [(status, base64.b64decode(body)) for status, body in found["answers"]]

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _run(self, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        found: list[dict[str, Any]] = json.loads(self._read())
        return found

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
