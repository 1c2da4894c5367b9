"""The model server: `/ping`, `/invocations` and `/execution-parameters` over a `Service`.

    listening socket ─┬─ worker process: event loop ⇄ model thread
                      └─ worker process: …            (SAGEMAKER_MODEL_SERVER_WORKERS, 1 by default)

The loop owns the connections and answers `/ping` at any time; the model thread loads the model and sees the
requests one after the other, so that a model needs no locks. What is too much at once is refused with 503.
"""

import asyncio
import os
import signal
import socket
import sys
import threading
import traceback
from functools import partial
from queue import SimpleQueue
from typing import Protocol

import uvloop

from clary.toolkits.binding import BACKLOG, listen
from clary.toolkits.http import HttpConnection, Reply, Request, Response
from clary.toolkits.workers import LOAD_FAILED, supervise

MAX_WAITING = 1024
"""Requests that may wait for the model."""

DRAIN = 5.0
"""Seconds given to requests under way when the server is told to stop."""

MEBIBYTE = 1024 * 1024


class Service(Protocol):
    """What is served. All methods are called on one thread, `load` first."""

    def load(self) -> None:
        """Load the model. An exception ends the server; its traceback goes to the log."""

    def invoke(self, request: Request) -> Response:
        """Answer one invocation. An exception is answered with 500 and its traceback."""
        ...

    def execution_parameters(self) -> Response:
        """Answer what batch transform asks before it begins; 404 where the model has no opinion."""
        ...


def serve(service: Service, max_payload: int) -> int:
    """Serve until SIGTERM; the exit status. `max_payload` is the largest request body in bytes."""
    listening = listen()
    workers = int(os.environ.get("SAGEMAKER_MODEL_SERVER_WORKERS") or 1)
    if workers > 1:
        return supervise(workers, lambda: uvloop.run(Worker(service, max_payload).run(listening)))
    return uvloop.run(Worker(service, max_payload).run(listening))


class Worker:
    """One process's loop and model."""

    def __init__(self, service: Service, max_payload: int) -> None:
        self._service = service
        self._max_payload = max_payload
        self._requests: SimpleQueue[tuple[Request, Reply]] = SimpleQueue()
        self._waiting = 0
        self._loaded = False
        self._connections: set[HttpConnection] = set()

    async def run(self, listening: socket.socket) -> int:
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        self._drained = asyncio.Event()
        for signum in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(signum, self._end, 0)
        unix = listening.family == socket.AF_UNIX
        create = self._loop.create_unix_server if unix else self._loop.create_server
        server = await create(self._connect, sock=listening, backlog=BACKLOG)
        threading.Thread(target=self._run_model, name="model", daemon=True).start()
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

    def _handle(self, request: Request, reply: Reply) -> None:
        """On the loop: answer what needs no model, hand the rest to the model's thread."""
        route = (request.method, request.target.partition("?")[0])
        if route == ("GET", "/ping"):
            reply(Response(status=200) if self._loaded else Response("The model is loading.", status=503))
        elif route not in (("POST", "/invocations"), ("GET", "/execution-parameters")):
            reply(Response(f"There is no {route[0]} {route[1]} here.", status=404))
        elif self._waiting >= MAX_WAITING:
            reply(Response("Too many requests wait for the model.", status=503))
        else:
            self._waiting += 1
            self._requests.put((request, reply))

    def _answered(self, reply: Reply, response: Response) -> None:
        self._waiting -= 1
        reply(response)

    def _run_model(self) -> None:
        """On the model's thread: load, then answer for ever."""
        try:
            self._service.load()
        except (Exception, SystemExit):
            traceback.print_exc()
            self._loop.call_soon_threadsafe(self._end, LOAD_FAILED)
            return
        self._loop.call_soon_threadsafe(partial(setattr, self, "_loaded", True))
        while True:
            request, reply = self._requests.get()
            response = self._answer(request)
            self._loop.call_soon_threadsafe(self._answered, reply, response)

    def _answer(self, request: Request) -> Response:
        try:
            if request.method == "GET":
                return self._service.execution_parameters()
            return self._service.invoke(request)
        except (Exception, SystemExit) as error:  # A script that exits must not take the server's thread along.
            trace = traceback.format_exc()
            print(trace, file=sys.stderr, flush=True)
            return Response(f"{error}\n{trace}", status=500)
