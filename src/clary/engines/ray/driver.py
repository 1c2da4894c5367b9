"""The process that holds Ray for the platform: Ray costs a process 100 MB and a second, and may hang or crash.

    platform ── (number, method, arguments) ──▶ driver ── Ray client ──▶ cluster
             ◀─ (number, answer, error) ───────
             ◀─ (0, instance id, None): news ──

It keeps nothing: whoever starts another one goes on. It ends with the platform, and by itself when the cluster is gone
or does not answer, since a Ray client that lost its server is of no more use.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any

from clary.engines.answers import EngineAway
from clary.engines.ray.errors import Lost, Unfit

THREADS = 64
BEAT = 2.0
SILENCE = 20.0
"""Seconds without a beat, after which the cluster is taken for gone."""
CONNECTED = ""
"""Instead of an instance's id: the driver is connected."""
PASSED_ON = (EngineAway, Lost, Unfit, KeyError, RuntimeError)


class Driver:
    def __init__(self, connection: Connection, address: str, namespace: str) -> None:
        from clary.engines.ray.cluster import Cluster

        self._connection = connection
        self._sending = threading.Lock()
        self._pool = ThreadPoolExecutor(THREADS)
        self._cluster = Cluster(address, namespace, lambda instance_id: self._send(0, instance_id, None), self._pool)
        self._beaten = time.monotonic()

    def work(self) -> None:
        for task in (self._beat, self._listen_to_beats):
            threading.Thread(target=task, daemon=True).start()
        self._send(0, CONNECTED, None)
        while True:
            number, method, arguments = self._connection.recv()
            self._pool.submit(self._answer, number, method, arguments)

    def _answer(self, number: int, method: str, arguments: tuple[Any, ...]) -> None:
        try:
            self._send(number, getattr(self._cluster, method)(*arguments), None)
        except PASSED_ON as error:
            self._send(number, None, error)
        except ConnectionError as error:
            end(f"the connection to Ray was lost: {error}")
        except Exception as error:
            self._send(number, None, RuntimeError(f"{type(error).__name__}: {error}"))

    def _send(self, number: int, answer: Any, error: Exception | None) -> None:
        try:
            with self._sending:
                self._connection.send((number, answer, error))
        except OSError:
            os._exit(0)

    def _beat(self) -> None:
        while True:
            try:
                self._cluster.beat()
            except Exception as error:
                end(f"the Ray cluster is gone: {error}")
            self._beaten = time.monotonic()
            time.sleep(BEAT)

    def _listen_to_beats(self) -> None:
        while time.monotonic() - self._beaten < SILENCE:
            time.sleep(BEAT)
        end(f"the Ray cluster did not answer for {SILENCE:g} s")


def end(why: str) -> None:
    print(why, file=sys.stderr, flush=True)
    os._exit(1)


def main(fd: str, address: str, namespace: str) -> None:
    connection = Connection(int(fd))
    try:
        driver = Driver(connection, address, namespace)
    except Exception as error:
        end(f"{address} cannot be reached: {str(error).strip().splitlines()[-1]}")
    try:
        driver.work()
    except EOFError:
        os._exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
