"""A PostgreSQL server for tests: on a socket in a directory of its own, gone with the session."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


class PostgresServer:
    def __init__(self, programs: Path) -> None:
        self._programs = programs
        # The server refuses to run as root; a socket's path must be short.
        self._user = "postgres" if os.getuid() == 0 else None
        self._directory = tempfile.mkdtemp(prefix="pg", dir="/tmp")
        if self._user is not None:
            shutil.chown(self._directory, self._user)
        self._run("initdb", "--username=clary", "--auth=trust", "--encoding=UTF8", "--no-sync")

    @property
    def url(self) -> str:
        """Of its `postgres` database."""
        return f"postgresql://clary@/postgres?host={self._directory}"

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self._directory} -c max_connections=300"
        self._run("pg_ctl", "--wait", "--log", f"{self._directory}/log", "-o", f"{options} -c fsync=off", "start")

    def stop(self) -> None:
        """At once, as a crash does it."""
        self._run("pg_ctl", "--mode", "immediate", "stop")

    def remove(self) -> None:
        shutil.rmtree(self._directory)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", f"{self._directory}/data", *arguments]
        subprocess.run(command, user=self._user, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60)


@contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A running server; skips where PostgreSQL or the `postgres` extra is not installed."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    if found is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or psycopg is not installed")
    server = PostgresServer(Path(found).parent)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        server.remove()


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of a running server's `postgres` database."""
    with postgres() as server:
        yield server.url
