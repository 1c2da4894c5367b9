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


@contextmanager
def postgres_server() -> Iterator[str]:
    """The URL of its `postgres` database; skips where PostgreSQL or the `postgres` extra is not installed."""
    found = shutil.which("initdb") or next(map(str, Path("/usr/lib/postgresql").glob("*/bin/initdb")), None)
    if found is None or find_spec("psycopg") is None:
        pytest.skip("PostgreSQL or psycopg is not installed")
    programs = Path(found).parent
    # The server refuses to run as root; a socket's path must be short.
    user = "postgres" if os.getuid() == 0 else None
    directory = tempfile.mkdtemp(prefix="pg", dir="/tmp")
    if user is not None:
        shutil.chown(directory, user)
    data = f"{directory}/data"
    options = f"-c listen_addresses='' -c unix_socket_directories={directory} -c max_connections=300 -c fsync=off"

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", data, *arguments]
        subprocess.run(command, user=user, cwd="/", check=True, stdout=subprocess.DEVNULL, timeout=60)

    run("initdb", "--username=clary", "--auth=trust", "--encoding=UTF8", "--no-sync")
    run("pg_ctl", "--wait", "--log", f"{directory}/log", "-o", options, "start")
    try:
        yield f"postgresql://clary@/postgres?host={directory}"
    finally:
        run("pg_ctl", "--mode", "immediate", "stop")
        shutil.rmtree(directory)
