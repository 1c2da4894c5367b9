"""The manager's side of the program's server: one connection, and the calls of the multi-model contract."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

from clary.instance.models.http import LONGEST_HEAD, Message, Unreadable, body_of, read_head
from clary.instance.network.address import socket_path

LOST = (OSError, EOFError, Unreadable)
"""What reading and writing raise where the program's server breaks off."""


class Connection:
    """Carries one exchange after another; opened when it is first used."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def exchange(self, request: Message) -> tuple[Message, asyncio.StreamReader]:
        """The head of the answer, and where its body is read from. Raises one of `LOST`."""
        used_before = self._streams is not None
        try:
            return await self._try(request)
        except LOST:
            self.close()
            if not used_before:
                raise
        # The server closed it when it had rested; it has seen nothing of this request.
        return await self._try(request)

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
            self._streams = None

    async def _try(self, request: Message) -> tuple[Message, asyncio.StreamReader]:
        if self._streams is None:
            self._streams = await _connect(self._path)
        reader, writer = self._streams
        writer.write(request.encode())
        await writer.drain()
        head = await read_head(reader)
        if head is None:
            raise EOFError
        return head, reader


class Container:
    """The program's server, which listens at `path`."""

    def __init__(self, path: str) -> None:
        self._path = path

    def connection(self) -> Connection:
        return Connection(self._path)

    async def load(self, name: str, directory: str) -> tuple[int, bytes]:
        """Status and body of the answer; raises one of `LOST`."""
        return await self._call("POST", "/models", json.dumps({"model_name": name, "url": directory}).encode())

    async def unload(self, name: str) -> tuple[int, bytes]:
        return await self._call("DELETE", f"/models/{name}", b"")

    async def has(self, name: str) -> bool:
        status, _ = await self._call("GET", f"/models/{name}", b"")
        return status != HTTPStatus.NOT_FOUND

    async def _call(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        connection = self.connection()
        headers = {"host": "localhost", "content-type": "application/json", "content-length": str(len(body))}
        try:
            head, reader = await connection.exchange(Message(f"{method} {path} HTTP/1.1", headers, body))
            return head.status, b"".join([data async for data in body_of(head, reader)])
        finally:
            connection.close()


async def _connect(path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    with socket_path(f"unix:{path}") as real:
        return await asyncio.open_unix_connection(real, limit=LONGEST_HEAD)
