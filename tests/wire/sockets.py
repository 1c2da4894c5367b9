"""Raw connections to a server under test, and a parser for what it answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from clary.wire.connection import Handler
from clary.wire.server import Server, serve


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Server]:
    server = await serve(handler, "127.0.0.1", 0)
    try:
        yield server
    finally:
        await server.close(grace=0)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Wire:
    """One TCP connection, byte by byte."""

    def __init__(self, port: int, receive_buffer: int = 2**16) -> None:
        self._port = port
        self._limit = receive_buffer

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._port, limit=self._limit)
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.writer.close()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, head_only: bool = False) -> Answer:
        """The next answer, its body put together from chunks where it came in chunks."""
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(lines[0].split(" ")[1])
        headers = {}
        for line in lines[1:-2]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if head_only or status in (100, 204, 304):
            return Answer(status, headers, b"")
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, await self._chunks())
        if "content-length" not in headers:
            return Answer(status, headers, await self.reader.read())
        return Answer(status, headers, await self.reader.readexactly(int(headers["content-length"])))

    async def closed(self) -> bool:
        return await self.reader.read(1) == b""

    async def _chunks(self) -> bytes:
        body = b""
        while size := int(await self.reader.readline(), 16):
            body += await self.reader.readexactly(size)
            await self.reader.readline()
        await self.reader.readline()
        return body
