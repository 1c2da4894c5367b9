"""Starts a peer in the benchmarks' environment and stops it again."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
PYTHON = REPOSITORY / ".cache" / "clients" / "bench" / "bin" / "python"
ENVIRONMENTS = {"bento_ml": "bench-bentoml", "ml_server": "bench-mlserver"}
"""Of peers that need libraries of other versions than the rest."""

QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "PYTHONWARNINGS": "ignore"}


class NoPeer(Exception):
    """The peer cannot be measured here; the message says why, for the table."""


def _command(module: str, arguments: tuple[str, ...]) -> list[str]:
    environment = ENVIRONMENTS.get(module, "bench")
    python = PYTHON.parents[2] / environment / "bin" / "python"
    if not python.exists():
        raise NoPeer(f"not installed: make {environment}-environment")
    return [str(python), str(REPOSITORY / "benchmarks" / "peers" / f"{module}.py"), *arguments]


def measurements(module: str, *arguments: str, timeout: float = 300) -> Any:
    """What the peer's program measured: the JSON of its last line."""
    ended = subprocess.run(
        _command(module, arguments),
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    if ended.returncode != 0:
        raise NoPeer(f"failed: {ended.stderr.strip().splitlines()[-1][:120]}")
    return json.loads(ended.stdout.splitlines()[-1])


@contextmanager
def serving(module: str, *arguments: str) -> Iterator[int]:
    """Runs the peer's program as a server; gives its port, which it prints as `port N`."""
    server = subprocess.Popen(
        _command(module, arguments),
        env={**os.environ, **QUIET},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    try:
        yield _announced_port(server, module)
    finally:
        _end(server)


def _announced_port(server: subprocess.Popen[str], module: str) -> int:
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("port "):
            return int(line.split()[1])
    raise NoPeer(f"{module} did not start")


def _end(server: subprocess.Popen[str]) -> None:
    """The program and the workers that it started, which share its process group."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        server.wait(20)
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()
