"""The model server: `/ping`, `/invocations` and `/execution-parameters` over a `Service`.

    listening socket ─┬─ worker process: event loop ⇄ model thread      (`models`)
                      └─ worker process: …            (SAGEMAKER_MODEL_SERVER_WORKERS, 1 by default)

The loop owns the connections and answers `/ping` at any time; the rest is the models'. Of a multi-model endpoint
(SAGEMAKER_MULTI_MODEL) one process serves them all, each on a thread of its own, since each call reaches one process.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable

import uvloop

from clary.toolkits.binding import BACKLOG, listen
from clary.toolkits.http import HttpConnection, Reply, Request, Response
from clary.toolkits.layout import opt_ml
from clary.toolkits.models import ManyModels, Models, OneModel, Service, path_of
from clary.toolkits.workers import LOAD_FAILED, supervise

DRAIN = 5.0
"""Seconds given to requests under way when the server is told to stop."""

MEBIBYTE = 1024 * 1024


def serve(make: Callable[[], Service], max_payload: int) -> int:
    """Serve what `make` makes until SIGTERM; the exit status. `max_payload` is the largest request body in bytes."""
    listening = listen()
    workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or 1)
    if workers > 1 and not serves_many():
        return supervise(workers, lambda: uvloop.run(Worker(make, max_payload).run(listening)))
    return uvloop.run(Worker(make, max_payload).run(listening))


def serves_many() -> bool:
    return os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"


class Worker:
    """One process's loop and models."""

    def __init__(self, make: Callable[[], Service], max_payload: int) -> None:
        self._make = make
        self._max_payload = max_payload
        self._connections: set[HttpConnection] = set()

    async def run(self, listening: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._drained = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._end, 0)
        unix = listening.family == socket.AF_UNIX
        create = loop.create_unix_server if unix else loop.create_server
        self._models = self._models_to_serve()
        server = await create(self._connect, sock=listening, backlog=BACKLOG)
        status = await self._ended
        server.close()
        for connection in list(self._connections):
            connection.close_when_idle()
        if self._connections and status == 0:
            try:
                await asyncio.wait_for(self._drained.wait(), DRAIN)
            except TimeoutError:
                print(f"Requests still ran {DRAIN:g} s after SIGTERM and were dropped.", file=sys.stderr)
        return status

    def _connect(self) -> HttpConnection:
        connection = HttpConnection(self._handle, self._forget, self._max_payload)
        self._connections.add(connection)
        self._drained.clear()
        return connection

    def _forget(self, connection: HttpConnection) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._drained.set()

    def _end(self, status: int) -> None:
        if not self._ended.done():
            self._ended.set_result(status)

    def _models_to_serve(self) -> Models:
        if serves_many():
            return ManyModels(self._make)
        return OneModel(self._make, opt_ml("model"), failed=lambda: self._end(LOAD_FAILED))

    def _handle(self, request: Request, reply: Reply) -> None:
        if (request.method, path_of(request)) != ("GET", "/ping"):
            self._models.handle(request, reply)
        elif self._models.ready:
            reply(Response(status=200))
        else:
            reply(Response("The model is loading.", status=503))
