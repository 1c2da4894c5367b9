"""The engine's side of the fork server (`instance/fork_server.py`), of which a process has one for all its engines."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import clary

SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from clary.instance.fork_server import main; main()"
SOON = 1.0
"""Seconds. A platform that starts has better use for the processor until then."""
PATIENCE = 30.0
"""Seconds for it to fork, which takes milliseconds; its first answer waits for its imports too."""


class ForkServer:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel = socket.socket()
        self._modules: list[str] = []

    def preload(self, module: str) -> None:
        """Have it import `module` too, and what that needs of Clary's environment, for the agents that use it."""
        with self._lock:
            if module not in self._modules:
                self._modules.append(module)
                if self._process:
                    self._begin(anew=True)

    def warm(self) -> None:
        """Begin it where it does not run, so that the first start need not wait for it."""
        with self._lock:
            self._begin()

    def warm_soon(self) -> None:
        waiting = threading.Timer(SOON, self.warm)
        waiting.daemon = True
        waiting.start()

    def start(self, node: str, errors: int, held: list[int]) -> None:
        """Start an agent of `node.json` at the path `node`; `errors` is where it prints, and `held` are open files that
        it holds for as long as it lives, its own lock first."""
        self._ask({"node": node}, [errors, *held])

    def make_networks(self, hostnames: list[str], answers: int, *, outward: bool) -> None:
        """Have `instance/network/namespaces.py` make them, and answer on the socket `answers`."""
        self._ask({"gang": hostnames, "outward": outward}, [answers])

    def _ask(self, request: dict[str, Any], files: list[int]) -> None:
        """Raises OSError where it is not known to be done."""
        from clary.instance.fork_server import send

        with self._lock:
            self._begin()
            try:
                send(self._channel, request, files)
            except BrokenPipeError:
                # It was killed, and this is seen before its end is.
                self._begin(anew=True)
                send(self._channel, request, files)
            if not self._answer():
                raise ConnectionResetError("The process that starts agents was killed.")

    def _answer(self) -> bytes:
        """Empty where it is gone. One that says nothing is of no more use, and everybody waits for it."""
        try:
            return self._channel.recv(32)
        except TimeoutError:
            assert self._process
            self._process.kill()
            # The agent's lock is among what was sent to it: who starts that agent anew must find it free.
            self._process.wait()
            raise

    def _begin(self, *, anew: bool = False) -> None:
        if self._process and self._process.poll() is None and not anew:
            return
        self._channel.close()
        self._channel, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.settimeout(PATIENCE)
        source = str(Path(clary.__file__).parent.parent)
        # Where it is to import no library, it need not look for any.
        options = ["-I"] if self._modules else ["-I", "-S"]
        with far:
            self._process = subprocess.Popen(
                [sys.executable, *options, "-c", SERVE, source, *self._modules, str(far.fileno())],
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[far.fileno()],
                start_new_session=True,
            )


FORK_SERVER = ForkServer()
