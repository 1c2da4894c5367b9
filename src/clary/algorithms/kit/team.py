"""The instances that train one model together, each on its own rows.

    every host ─ arrays ─▶ the first host, which leads ─ their sum, or all of them ─▶ every host

All hosts call the same methods in the same order. What they exchange are arrays, never objects that would have to be
unpickled: the port may be within reach of others on the machine. One that is alone opens no socket.
"""

import io
import logging
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clary.algorithms.errors import AlgorithmError

PORT = 9098
"""At which the first host hears the others."""
PATIENCE = 600.0
"""Seconds for the first host to have started."""
LOOK_AGAIN = 0.1
LENGTH = struct.Struct("<Q")

Arrays = Mapping[str, NDArray[Any]]


class Team:
    def __init__(self, hosts: Sequence[str] = ("algo-1",), host: str = "algo-1") -> None:
        """Returns once all hosts are there."""
        self.hosts = hosts
        self.host = host
        self._others: list[socket.socket] = []
        """Of the one that leads, in the order of the hosts: all the others. Of another one: the one that leads."""
        if self.size > 1:
            self._others = self._hear() if self.leads else [self._call()]
            logging.info("Training on %s", ", ".join(hosts))

    @property
    def size(self) -> int:
        return len(self.hosts)

    @property
    def leads(self) -> bool:
        """Whether this instance writes the model and tells the scores."""
        return self.host == self.hosts[0]

    def sum(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        """The sums over all hosts of arrays that have the same shapes on each."""
        named = {str(number): np.asarray(array) for number, array in enumerate(arrays)}
        if self.size == 1:
            return list(named.values())
        if self.leads:
            for other in map(self._receive, range(len(self._others))):
                named = {name: array + other[name] for name, array in named.items()}
        return list(self._answer(named).values())

    def gather(self, arrays: Arrays) -> list[Arrays]:
        """What each host gave, in their order, on all of them."""
        if self.size == 1:
            return [arrays]
        packed = dict(arrays)
        if self.leads:
            given = [arrays, *map(self._receive, range(len(self._others)))]
            packed = {f"{number} {name}": array for number, each in enumerate(given) for name, array in each.items()}
        found: list[dict[str, NDArray[Any]]] = [{} for _ in self.hosts]
        for key, array in self._answer(packed).items():
            number, _, name = key.partition(" ")
            found[int(number)][name] = array
        return list(found)

    def broadcast(self, arrays: Arrays) -> Arrays:
        """What the host that leads gave, on all of them; the others' does not count."""
        if self.size > 1 and self.leads:
            for number in range(len(self._others)):
                self._receive(number)
        return arrays if self.size == 1 else self._answer(arrays if self.leads else {})

    def agrees(self, wish: bool) -> bool:
        """Whether one of the hosts has that wish."""
        return bool(self.sum(np.array([float(wish)]))[0][0])

    def close(self) -> None:
        for other in self._others:
            other.close()

    def _answer(self, arrays: Arrays) -> Arrays:
        """On the host that leads: tell all others, and itself. On another: ask the one that leads."""
        if self.leads:
            data = _pack(arrays)
            for number in range(len(self._others)):
                self._send(number, data)
            return arrays
        self._send(0, _pack(arrays))
        return self._receive(0)

    def _send(self, number: int, data: bytes) -> None:
        try:
            self._others[number].sendall(LENGTH.pack(len(data)) + data)
        except OSError as error:
            raise self._lost(number) from error

    def _receive(self, number: int) -> Arrays:
        try:
            [length] = LENGTH.unpack(_read(self._others[number], LENGTH.size))
            return _unpack(_read(self._others[number], length))
        except OSError as error:
            raise self._lost(number) from error

    def _lost(self, number: int) -> AlgorithmError:
        name = self.hosts[number + 1] if self.leads else self.hosts[0]
        return AlgorithmError(f"{name} ended before the training was done.")

    def _hear(self) -> list[socket.socket]:
        found: dict[str, socket.socket] = {}
        with socket.create_server((self.host, PORT), backlog=self.size) as server:
            while len(found) < self.size - 1:
                connection, _ = server.accept()
                [length] = LENGTH.unpack(_read(connection, LENGTH.size))
                found[_read(connection, length).decode()] = _prepared(connection)
        return [found[host] for host in self.hosts[1:]]

    def _call(self) -> socket.socket:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                connection = _prepared(socket.create_connection((self.hosts[0], PORT)))
                name = self.host.encode()
                connection.sendall(LENGTH.pack(len(name)) + name)
                return connection
            except OSError as error:
                if time.monotonic() > deadline:
                    raise AlgorithmError(
                        f"{self.hosts[0]} was not to be reached within {PATIENCE:.0f} seconds: {error}"
                    ) from error
                time.sleep(LOOK_AGAIN)


def _prepared(connection: socket.socket) -> socket.socket:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A host that others wait for may read its data for hours: only that it is gone ends the wait.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.settimeout(None)
    return connection


def _read(connection: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    while view:
        count = connection.recv_into(view)
        if not count:
            raise ConnectionResetError
        view = view[count:]
    return data


def _pack(arrays: Arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)  # type: ignore[arg-type]  # The names are those of arrays alone.
    return buffer.getvalue()


def _unpack(data: bytearray) -> Arrays:
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return dict(arrays)
