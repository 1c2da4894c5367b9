"""HTTP/1.1 as the manager needs it: heads are read, bodies of answers are passed on as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from http import HTTPStatus

LONGEST_HEAD = 64 * 1024
CHUNK = 256 * 1024


class Unreadable(Exception):
    """What came is not the HTTP that is spoken here."""


@dataclass(slots=True)
class Message:
    start: str
    """Request or status line."""
    headers: dict[str, str]
    """By lower-case name; of a repeated header the last value."""
    body: bytes = b""

    @property
    def length(self) -> int | None:
        """Of the body, where it is told."""
        value = self.headers.get("content-length", "")
        return int(value) if value.isdigit() else None

    @property
    def status(self) -> int:
        """Of an answer."""
        return int(self.start.split(" ", 2)[1])

    @property
    def chunked(self) -> bool:
        return self.headers.get("transfer-encoding", "").lower() == "chunked"

    @property
    def keeps_open(self) -> bool:
        """Whether another exchange may follow this answer, whose end can be told."""
        ends = self.chunked or self.length is not None or self.status == HTTPStatus.NO_CONTENT
        return ends and self.headers.get("connection", "").lower() != "close"

    def encode(self) -> bytes:
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + self.body


def answer(status: int, text: str | bytes, headers: dict[str, str] | None = None) -> Message:
    body = text.encode() if isinstance(text, str) else text
    told = {"content-type": "text/plain", "content-length": str(len(body)), **(headers or {})}
    return Message(f"HTTP/1.1 {status} ", told, body)


async def read_head(reader: asyncio.StreamReader) -> Message | None:
    """None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise Unreadable from None
        return None
    except asyncio.LimitOverrunError:
        raise Unreadable from None
    start, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = [line.partition(":") for line in lines]
    return Message(start, {name.strip().lower(): value.strip() for name, _, value in pairs})


async def read_request(reader: asyncio.StreamReader) -> Message | None:
    """A request with its body, which has a length: all that the platform sends does."""
    message = await read_head(reader)
    if message is None:
        return None
    if message.length is None and "transfer-encoding" in message.headers:
        raise Unreadable
    message.body = await reader.readexactly(message.length or 0)
    return message


async def body_of(head: Message, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The body of an answer as it comes. Raises `Unreadable` or `EOFError` where it is broken off."""
    if head.chunked:
        while size := _chunk_size(await reader.readuntil(b"\r\n")):
            async for data in _exactly(size, reader):
                yield data
            await reader.readexactly(2)
        while await reader.readuntil(b"\r\n") != b"\r\n":
            pass
    elif head.length is not None:
        async for data in _exactly(head.length, reader):
            yield data
    elif head.status != HTTPStatus.NO_CONTENT:
        while data := await reader.read(CHUNK):
            yield data


async def _exactly(count: int, reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while count:
        data = await reader.read(min(count, CHUNK))
        if not data:
            raise Unreadable
        count -= len(data)
        yield data


def _chunk_size(line: bytes) -> int:
    try:
        return int(line.split(b";")[0], 16)
    except ValueError:
        raise Unreadable from None
