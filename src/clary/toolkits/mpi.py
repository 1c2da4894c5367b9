"""Open MPI over the instances of a job, whose images have no ssh: a launch agent of Clary's own.

    algo-1   lead ─▶ mpirun ─▶ agent algo-2 COMMAND ─┐            and at the end ─▶ bye
    algo-2   wait ◀──────── runs COMMAND (orted) ◀───┘ ◀───────────────────────────────┘

`agent` has ssh's place for mpirun (`plm_rsh_agent`): it hands on what is to be run, and what that says and ends with.
Who talks to an instance that waits proves that it knows the secret key of the job's role, which its instances share.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener

PORT = 7778
PATIENCE = 600.0
"""Seconds that an instance may take to wait: it installs requirements for itself."""
PAUSE = 0.2
RUN, BYE = b"run ", b"bye"
AGENT = f"{sys.executable} -m clary.toolkits.mpi agent"


def wait(host: str) -> int:
    """Run what the leader asks for until it says good-bye."""
    with Listener((host, PORT), authkey=_secret()) as listener:
        while True:
            try:
                asking = listener.accept()
            except (AuthenticationError, OSError, EOFError):
                continue  # Somebody else's.
            asked = asking.recv_bytes()
            if asked == BYE:
                return 0
            threading.Thread(target=_run, args=(asking, asked.removeprefix(RUN).decode()), daemon=True).start()


def _run(asking: Connection, command: str) -> None:
    # What it leaves running, as orted does, has no hold on the pipe.
    ended = subprocess.run(["/bin/sh", "-c", command], stdin=subprocess.DEVNULL, check=False)
    asking.send_bytes(str(ended.returncode).encode())


def agent(host: str, *words: str) -> int:
    """Have the words, which read as a shell command, run on the host; its exit code."""
    with _reach(host) as waiting:
        waiting.send_bytes(RUN + " ".join(words).encode())
        return int(waiting.recv_bytes())


def lead(hosts: Sequence[str], command: Sequence[str]) -> int:
    """Run mpirun to its end; the other hosts wait no longer then."""
    program = subprocess.Popen(command)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: program.send_signal(signum))
    code = program.wait()
    for host in hosts:
        try:
            with _reach(host) as waiting:
                waiting.send_bytes(BYE)
        except OSError as error:
            print(f"{host} cannot be told that Open MPI has ended: {error}", file=sys.stderr)
    return code if code >= 0 else 128 - code


def _reach(host: str) -> Connection:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return Client((host, PORT), authkey=_secret())
        except (ConnectionRefusedError, ConnectionResetError):
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE)


def _secret() -> bytes:
    return os.environ.get("AWS_SECRET_ACCESS_KEY", "").encode()


def main(role: str, *words: str) -> int:
    if role == "wait":
        return wait(*words)
    if role == "agent":
        return agent(*words)
    hosts, command = words[0].split(","), words[1:]
    return lead([host for host in hosts if host], command)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
