"""The platform's side of the driver: starts it, asks it, starts it again whenever it ended.

Nobody waits for a driver that is not connected: a call is then refused with `EngineAway`, which says why, and so is one
that is not answered in time.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import multiprocessing
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NoAnswer
from multiprocessing.connection import Connection
from typing import Any
from urllib.parse import urlsplit

from clary.engines.answers import EngineAway
from clary.engines.ray.driver import CONNECTED

log = logging.getLogger(__name__)

SECONDS = 15.0
"""For an answer: more than the driver itself waits for the cluster's."""
DEFAULT_PORT = 10001
CONNECT_SECONDS = 5.0
SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 5.0
"""Seconds until an ended driver is started again."""
QUIET = {"RAY_CLIENT_RECONNECT_GRACE_PERIOD": "0", "RAY_USAGE_STATS_ENABLED": "0", "GRPC_ENABLE_FORK_SUPPORT": "0"}
"""A driver does not wait for a lost server to come back: the next one finds it."""


def unreachable(address: str) -> str:
    """Why nobody listens there, where nobody does: Ray itself takes half a minute to say so."""
    server = urlsplit(address)
    try:
        socket.create_connection((server.hostname or "", server.port or DEFAULT_PORT), CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        return f"{address} cannot be reached: {error}"
    return ""


class Link:
    def __init__(
        self, address: str, namespace: str, connected: Callable[[], None], news: Callable[[str], None]
    ) -> None:
        """Both are called on threads of the link's own and may call it: `connected` each time that the cluster was
        reached, before any `news(instance_id)`."""
        self._address = address
        self._namespace = namespace
        self._connected = connected
        self._news = news
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._pending: dict[int, Future[Any]] = {}
        self._connection: Connection | None = None
        self._driver: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()
        self._why = f"Clary is not connected to {address} yet"
        threading.Thread(target=self._keep, name="ray-driver", daemon=True).start()

    def call(self, method: str, *arguments: Any, seconds: float = SECONDS) -> Any:
        """What the method of the driver's `Cluster` answers. Raises what it raises, and `EngineAway`."""
        future: Future[Any] = Future()
        with self._lock:
            if self._connection is None:
                raise EngineAway(self._why)
            number = next(self._numbers)
            self._pending[number] = future
            try:
                self._connection.send((number, method, arguments))
            except OSError as error:
                # It has ended, and the end is not noticed yet.
                del self._pending[number]
                raise EngineAway(f"the connection to {self._address} was lost: {error}") from None
        try:
            return future.result(seconds)
        except NoAnswer:
            raise EngineAway(f"{self._address} did not answer within {seconds:g} s") from None
        finally:
            self._pending.pop(number, None)

    def close(self) -> None:
        """Let go of the cluster, for good."""
        self._closed.set()
        with self._lock:
            if self._driver is not None:
                self._driver.kill()

    def _keep(self) -> None:
        pause = SHORTEST_PAUSE
        while not self._closed.is_set():
            began = time.monotonic()
            with tempfile.TemporaryFile() as errors:
                why = unreachable(self._address)
                if not why:
                    self._drive(errors.fileno())
                    errors.seek(0)
                    said = errors.read().decode(errors="replace").strip().splitlines()
                    why = said[-1] if said else f"the driver of {self._address} ended without a word"
            self._why = why
            if not self._closed.is_set():
                log.warning("no connection to Ray: %s", self._why)
            pause = SHORTEST_PAUSE if time.monotonic() - began > LONGEST_PAUSE * 3 else min(pause * 2, LONGEST_PAUSE)
            self._closed.wait(pause)

    def _drive(self, errors: int) -> None:
        """From the start of a driver to its end."""
        ours, theirs = multiprocessing.Pipe()
        driver = subprocess.Popen(
            [sys.executable, "-m", "clary.engines.ray.driver", str(theirs.fileno()), self._address, self._namespace],
            env={**os.environ, **QUIET},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()
        self._driver = driver
        try:
            with contextlib.suppress(EOFError, OSError):
                while True:
                    self._take(ours, ours.recv())
        finally:
            with self._lock:
                self._connection = None
                pending, self._pending = self._pending, {}
            for future in pending.values():
                future.set_exception(EngineAway(f"the connection to {self._address} was lost"))
            ours.close()
            driver.kill()
            driver.wait()

    def _take(self, connection: Connection, message: tuple[int, Any, Exception | None]) -> None:
        number, answer, error = message
        if number:
            future = self._pending.get(number)
            if future is None:
                return
            if error is None:
                future.set_result(answer)
            else:
                future.set_exception(error)
        elif answer == CONNECTED:
            self._connection = connection
            log.info("connected to Ray at %s", self._address)
            threading.Thread(target=self._connected, name="ray-connected", daemon=True).start()
        else:
            self._news(answer)
