"""What a gateway process does: accepts, answers invocations, hands everything else on."""

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, cast

import uvloop

from clary.control.call import Call
from clary.control.house import House
from clary.gateways.channel import Channel, Message
from clary.gateways.front import Front
from clary.routing.router import Router
from clary.routing.traffic import Batch, Traffic
from clary.services.sagemaker_runtime.api import invoke_endpoint, invoke_endpoint_with_response_stream
from clary.settings import Settings
from clary.wire.connection import Connection
from clary.wire.credentials import KeyRing
from clary.wire.gateway import Gateway
from clary.wire.handing import HandingConnection, Sender
from clary.wire.http import ClientDisconnected, Request, Response
from clary.wire.server import Server

log = logging.getLogger(__name__)

SERVICE = "sagemaker-runtime"
OUT_OF_FILES = 0.1
"""Seconds after which one that had no descriptor left accepts again."""
FEW, MANY = 4, 64
"""Connections that are accepted before those that are open have their turn: where several share them out, and alone."""
GRACE = 5.0
"""Seconds that invocations under way have when it is told to end."""


class NoRecords:
    """What a gateway knows of records: an endpoint whose route it had and has no more is gone."""

    def find(self, *_: object) -> None:
        return None


@dataclass(slots=True)
class Annex:
    """The rooms of the house that an invocation goes through, where there is nothing else of it."""

    settings: Settings
    router: Router
    traffic: Traffic
    records: NoRecords


def run(settings: Settings, listeners: list[socket.socket], channel: socket.socket, way: socket.socket) -> None:
    gc.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_run(settings, listeners, channel, way))


async def _run(settings: Settings, listeners: list[socket.socket], channel: socket.socket, way: socket.socket) -> None:
    process = Process(settings, listeners)
    await process.begin(channel, way)
    await process.ended.wait()
    os._exit(0)


class Process:
    def __init__(self, settings: Settings, listeners: list[socket.socket]) -> None:
        self._loop = asyncio.get_running_loop()
        self._listeners = listeners
        self._at_once = FEW if settings.gateway_count > 1 else MANY
        self.ended = asyncio.Event()
        self._channel = Channel(self._hear, on_end=lambda: os._exit(0))
        self._router = Router(on_down=lambda instance_id: self._channel.send("down", instance_id))
        traffic = Traffic()
        traffic.listeners.append(self._pass_on)
        self._front = Front(self._router, settings.account)
        annex = Annex(settings, self._router, traffic, NoRecords())
        self._gateway = Gateway(
            {
                (SERVICE, "InvokeEndpoint"): invoke_endpoint,
                (SERVICE, "InvokeEndpointWithResponseStream"): invoke_endpoint_with_response_stream,
            },
            KeyRing.open(settings.state),
            partial(Call.of, cast(House, annex)),
            ThreadPoolExecutor(1),
        )
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, channel: socket.socket, way: socket.socket) -> None:
        sender = Sender(self._loop, way)

        def connect(server: Server, loop: asyncio.AbstractEventLoop) -> Connection:
            return HandingConnection(server, loop, self._front.answers, sender)

        self._server = Server(self._answer, connect)
        await self._channel.open(channel)
        self._loop.add_signal_handler(signal.SIGTERM, self._close)

    async def _answer(self, request: Request) -> Response:
        if not request.target.startswith("/endpoints/"):
            # It came behind an invocation that was not answered yet: its client sends it again, on another connection.
            raise ClientDisconnected("the connection can no longer be handed on")
        return await self._gateway(request)

    def _hear(self, message: Message) -> None:
        match message:
            case ("change", number, change):
                change.apply(self._router)
                self._channel.send("heard", number)
            case ("open",):
                for listener in self._listeners:
                    self._loop.add_reader(listener.fileno(), self._accept, listener)
            case ("close",):
                self._close()

    def _accept(self, listener: socket.socket) -> None:
        """A few at a time: the others, which are woken too, take the next."""
        for _ in range(self._at_once):
            if not self._accept_one(listener):
                return

    def _accept_one(self, listener: socket.socket) -> bool:
        """Whether there may be another."""
        try:
            accepted, _ = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS):
                raise
            log.warning("no more connections are accepted for now: %s", error.strerror)
            self._loop.remove_reader(listener.fileno())
            self._loop.call_later(OUT_OF_FILES, self._loop.add_reader, listener.fileno(), self._accept, listener)
            return False
        accepted.setblocking(False)
        self._spawn(self._server.adopt(accepted))
        return True

    def _close(self) -> None:
        for listener in self._listeners:
            self._loop.remove_reader(listener.fileno())
        self._spawn(self._finish())

    async def _finish(self) -> None:
        await self._server.close(GRACE)
        self.ended.set()

    def _pass_on(self, batch: Batch) -> None:
        self._loop.call_soon_threadsafe(self._channel.send, "traffic", batch)

    def _spawn(self, work: Any) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def worker(settings: Settings, listeners: list[socket.socket]) -> Callable[[socket.socket, socket.socket], None]:
    return partial(run, settings, listeners)
