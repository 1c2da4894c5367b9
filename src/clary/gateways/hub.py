"""The platform's side of its gateways: tells them what changes, hears what they leave, takes the connections that they
hand on."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable, Coroutine
from typing import Any

from clary.gateways.channel import Channel, Message
from clary.routing.router import Change, Router
from clary.routing.traffic import Traffic
from clary.wire.handing import receive
from clary.wire.server import Server

log = logging.getLogger(__name__)

PATIENCE = 1.0
"""Seconds that a gateway has to hear of a change, which takes it less than a millisecond; then it is replaced."""


class Hub:
    def __init__(self, keeper: socket.socket, router: Router, traffic: Traffic, on_down: Callable[[str], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._keeper = keeper
        self._router = router
        self._traffic = traffic
        self._on_down = on_down
        self._gateways: dict[int, Gateway] = {}
        self._closing = False
        self._none_left = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self, server: Server) -> None:
        """Have the gateways accept, from now on; `server` gets what they do not answer."""
        self._server = server
        self._router.followers.append(self._tell)
        self._keeper.setblocking(False)
        self._loop.add_reader(self._keeper.fileno(), self._welcome)

    async def close(self, grace: float) -> None:
        """Have them end what is under way, for up to `grace` seconds."""
        self._closing = True
        for gateway in self._gateways.values():
            gateway.channel.send("close")
        if self._gateways:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._none_left.wait(), grace)

    def replace(self, pid: int) -> None:
        log.warning("gateway %d does not answer and is replaced", pid)
        with contextlib.suppress(OSError):
            self._keeper.send(str(pid).encode())

    def _welcome(self) -> None:
        """A gateway was forked."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._keeper, 32, 2, socket.MSG_CMSG_CLOEXEC)
        except BlockingIOError:
            return
        if not packet:
            log.error("the process that gateways are forked from has ended: no call is accepted any more")
            self._loop.remove_reader(self._keeper.fileno())
            return
        channel, way = (socket.socket(fileno=descriptor) for descriptor in descriptors)
        self._spawn(self._join(int(packet), channel, way))

    async def _join(self, pid: int, end: socket.socket, way: socket.socket) -> None:
        gateway = Gateway(pid)
        gateway.channel = Channel(lambda message: self._hear(gateway, message), gateway.gone.set)
        await gateway.channel.open(end)
        self._gateways[pid] = gateway
        way.setblocking(False)
        self._loop.add_reader(way.fileno(), self._take, way)
        for change in self._router.changes():
            gateway.tell(change)
        gateway.channel.send("close" if self._closing else "open")
        await gateway.gone.wait()
        self._loop.remove_reader(way.fileno())
        way.close()
        del self._gateways[pid]
        gateway.forget()
        if not self._closing:
            log.warning("gateway %d has ended; another takes its place", pid)
        elif not self._gateways:
            self._none_left.set()

    def _take(self, way: socket.socket) -> None:
        try:
            for connection, received in receive(way):
                self._spawn(self._server.adopt(connection, received))
        except (EOFError, ConnectionResetError):
            self._loop.remove_reader(way.fileno())

    def _hear(self, gateway: "Gateway", message: Message) -> None:
        match message:
            case ("heard", number):
                gateway.heard(number)
            case ("down", instance_id):
                self._on_down(instance_id)
            case ("traffic", batch):
                self._traffic.hand_on(batch)

    def _tell(self, change: Change) -> None:
        """On the thread that made the change: returns when no gateway answers by what was before."""
        asyncio.run_coroutine_threadsafe(self._tell_all(change), self._loop).result()

    async def _tell_all(self, change: Change) -> None:
        await asyncio.gather(*(self._tell_one(gateway, change) for gateway in list(self._gateways.values())))

    async def _tell_one(self, gateway: "Gateway", change: Change) -> None:
        heard = gateway.tell(change)
        try:
            await asyncio.wait_for(asyncio.shield(heard), PATIENCE)
        except TimeoutError:
            self.replace(gateway.pid)
            await gateway.gone.wait()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


class Gateway:
    """One gateway, as the platform knows it."""

    channel: Channel

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.gone = asyncio.Event()
        self._told = 0
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def tell(self, change: Change) -> asyncio.Future[None]:
        self._told += 1
        self._waiting[self._told] = heard = asyncio.get_running_loop().create_future()
        self.channel.send("change", self._told, change)
        return heard

    def heard(self, number: int) -> None:
        self._waiting.pop(number).set_result(None)

    def forget(self) -> None:
        """It is gone, and answers nothing more."""
        for heard in self._waiting.values():
            heard.set_result(None)
        self._waiting.clear()
