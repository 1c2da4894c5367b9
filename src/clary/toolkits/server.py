"""The model server: `/ping`, `/invocations` and `/execution-parameters` over a `Service`.

    listening socket ─┬─ worker process: event loop ⇄ model thread      (`models`)
                      └─ worker process: …            (SAGEMAKER_MODEL_SERVER_WORKERS, 1 by default)

The loop owns the connections and answers `/ping` at any time; the rest is the models'. Of a multi-model endpoint
(SAGEMAKER_MULTI_MODEL) one process serves them all, each on a thread of its own, since each call reaches one process.
"""

import asyncio
import gc
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable

import uvloop

from clary.toolkits.binding import listen
from clary.toolkits.http import HttpConnection, Reply, Request, Response
from clary.toolkits.layout import opt_ml
from clary.toolkits.models import Load, ManyModels, Models, OneModel, Service, path_of
from clary.toolkits.workers import LOAD_FAILED, supervise

DRAIN = 5.0
"""Seconds given to requests under way when the server is told to stop."""

AT_ONCE = 2
"""Connections that are accepted before those that are open have their turn."""
OUT_OF_FILES = 0.1
"""Seconds after which one that had no descriptor left accepts again."""

MEBIBYTE = 1024 * 1024


def serve(make: Callable[[], Service], max_payload: int, *, shared: bool = False) -> int:
    """Serve what `make` makes until SIGTERM; the exit status. `max_payload` is the largest request body in bytes.

    `shared` says that a loaded model may be used by processes that are forked afterwards: workers then have one in
    memory between them. That is not so of what has begun threads or a GPU's context, as a user's script may.
    """
    listening = listen()
    load = _loading(make)
    workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or 1)
    if workers == 1 or serves_many():
        return uvloop.run(Worker(load, max_payload).run(listening))
    if shared:
        try:
            load = _having(load(opt_ml("model")))
        except (Exception, SystemExit):
            traceback.print_exc()
            return LOAD_FAILED
        gc.freeze()  # The collector writes to what it looks at, which would then be no longer shared.
    return supervise(workers, lambda: uvloop.run(Worker(load, max_payload).run(listening)))


def _loading(make: Callable[[], Service]) -> Load:
    def load(directory: str) -> Service:
        service = make()
        service.load(directory)
        return service

    return load


def _having(service: Service) -> Load:
    return lambda _directory: service


def serves_many() -> bool:
    return os.environ.get("SAGEMAKER_MULTI_MODEL", "").lower() == "true"


class Worker:
    """One process's loop and models."""

    def __init__(self, load: Load, max_payload: int) -> None:
        self._load = load
        self._max_payload = max_payload
        self._connections: set[HttpConnection] = set()
        self._accepting: set[asyncio.Task[tuple[asyncio.Transport, HttpConnection]]] = set()

    async def run(self, listening: socket.socket) -> int:
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = loop.create_future()
        self._drained = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._end, 0)
        self._models = self._models_to_serve()
        listening.setblocking(False)
        loop.add_reader(listening.fileno(), self._accept, loop, listening)
        status = await self._ended
        loop.remove_reader(listening.fileno())
        for connection in list(self._connections):
            connection.close_when_idle()
        if self._connections and status == 0:
            try:
                await asyncio.wait_for(self._drained.wait(), DRAIN)
            except TimeoutError:
                print(f"Requests still ran {DRAIN:g} s after SIGTERM and were dropped.", file=sys.stderr)
        return status

    def _accept(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> None:
        """A few at a time, so that workers share out what comes at once."""
        for _ in range(AT_ONCE):
            if not self._accept_one(loop, listening):
                return

    def _accept_one(self, loop: asyncio.AbstractEventLoop, listening: socket.socket) -> bool:
        """Whether there may be another."""
        try:
            accepted, _ = listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            print(f"A connection cannot be accepted: {error}", file=sys.stderr, flush=True)
            loop.remove_reader(listening.fileno())
            loop.call_later(OUT_OF_FILES, loop.add_reader, listening.fileno(), self._accept, loop, listening)
            return False
        accepted.setblocking(False)
        task = loop.create_task(loop.connect_accepted_socket(self._connect, accepted))
        self._accepting.add(task)
        task.add_done_callback(self._accepting.discard)
        return True

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
            return ManyModels(self._load)
        return OneModel(self._load, opt_ml("model"), failed=lambda: self._end(LOAD_FAILED))

    def _handle(self, request: Request, reply: Reply) -> None:
        if (request.method, path_of(request)) != ("GET", "/ping"):
            self._models.handle(request, reply)
        elif self._models.ready:
            reply(Response(status=200))
        else:
            reply(Response("The model is loading.", status=503))
