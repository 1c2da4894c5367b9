"""The manager's server: takes what is sent to the instance, and passes it on to the model that it is for."""

from __future__ import annotations

import asyncio
import json
import socket
from dataclasses import asdict
from http import HTTPStatus

from clary.instance.models import headers
from clary.instance.models.cache import Cache, Figures, Model, NotLoaded, NotReady, Wanted
from clary.instance.models.container import LOST, Connection, Container
from clary.instance.models.http import LONGEST_HEAD, Message, answer, body_of, read_request

OWN = {headers.LOCATION, headers.GRANT}
"""Headers that are not the container's to see."""


class Door:
    def __init__(self, container: Container, cache: Cache, secret: str) -> None:
        """`secret` is what the platform's grants are made with."""
        self._container = container
        self._cache = cache
        self._secret = secret

    async def open(self, listener: socket.socket) -> None:
        start = asyncio.start_unix_server if listener.family == socket.AF_UNIX else asyncio.start_server
        self._server = await start(self._converse, sock=listener, limit=LONGEST_HEAD)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = self._container.connection()
        try:
            while request := await read_request(reader):
                await self._serve(request, connection, writer)
        except LOST:
            pass
        finally:
            connection.close()
            writer.close()

    async def _serve(self, request: Message, connection: Connection, writer: asyncio.StreamWriter) -> None:
        target = request.headers.get(headers.TARGET, "")
        if request.start.startswith("GET /ping "):
            await _pass(*await connection.exchange(request), connection, writer, {})
            return
        if not target or not request.start.startswith("POST /invocations "):
            await _send(answer(HTTPStatus.BAD_REQUEST, "An invocation has to name its model."), writer)
            return
        figures = Figures()
        try:
            async with self._cache.use(target, self._location(request, target), figures) as model:
                await self._invoke(request, model, connection, writer, figures)
                return
        except Wanted:
            told = answer(HTTPStatus.NOT_FOUND, f"The model {target} is not here.", {headers.OUTCOME: headers.WANTED})
        except NotReady:
            text = f"The model {target} is still being downloaded or loaded."
            told = answer(HTTPStatus.TOO_MANY_REQUESTS, text, {headers.OUTCOME: headers.NOT_READY})
        except NotLoaded as error:
            told = answer(error.status, str(error), {headers.OUTCOME: headers.NOT_LOADED})
        await _send(told, writer)

    def _location(self, request: Message, target: str) -> str:
        location = request.headers.get(headers.LOCATION, "")
        given = request.headers.get(headers.GRANT, "")
        return location if headers.is_granted(self._secret, target, location, given) else ""

    async def _invoke(
        self, request: Message, model: Model, connection: Connection, writer: asyncio.StreamWriter, figures: Figures
    ) -> None:
        passed = {header: value for header, value in request.headers.items() if header not in OWN}
        invocation = Message(f"POST /models/{model.name}/invoke HTTP/1.1", passed, request.body)
        head, reader = await connection.exchange(invocation)
        if head.status == HTTPStatus.NOT_FOUND and not await self._container.has(model.name):
            connection.close()
            await self._cache.load_again(model, figures)
            head, reader = await connection.exchange(invocation)
        await _pass(head, reader, connection, writer, {headers.FIGURES: json.dumps(asdict(figures))})


async def _pass(
    head: Message,
    reader: asyncio.StreamReader,
    connection: Connection,
    writer: asyncio.StreamWriter,
    more: dict[str, str],
) -> None:
    """The container's answer, with `more` headers, to the caller. A container that breaks off closes the caller's
    connection, as it would its own."""
    told = Message(head.start, {**head.headers, **more, "connection": "keep-alive"})
    framed = head.length is not None or head.status == HTTPStatus.NO_CONTENT
    if not framed:
        told.headers["transfer-encoding"] = "chunked"
    writer.write(told.encode())
    async for data in body_of(head, reader):
        writer.write(data if framed else b"%x\r\n%b\r\n" % (len(data), data))
        await writer.drain()
    if not framed:
        writer.write(b"0\r\n\r\n")
    await writer.drain()
    if not head.keeps_open:
        connection.close()


async def _send(message: Message, writer: asyncio.StreamWriter) -> None:
    writer.write(message.encode())
    await writer.drain()
