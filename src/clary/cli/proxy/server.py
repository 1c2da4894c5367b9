"""The proxy itself: every connection of the program becomes one connection to where it belongs.

    CONNECT host:443       ──► AWS: TLS ends here ──► the platform     else: a tunnel
    GET http://host/path   ──► AWS: origin form ────► the platform     else: the host, or the user's proxy

What is inside is copied, never read.
"""

from __future__ import annotations

import asyncio
from typing import Self

from clary.cli.proxy.addresses import is_aws
from clary.cli.proxy.authority import Authority
from clary.cli.proxy.outside import Outside, Streams
from clary.cli.proxy.request import ProxyRequest

CHUNK = 256 * 1024


class Proxy:
    """`async with Proxy(…) as proxy` listens on a free port of the loopback, at `proxy.url`."""

    def __init__(self, authority: Authority, platform: tuple[str, int], outside: Outside) -> None:
        self._authority = authority
        self._platform = platform
        self._outside = outside
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @property
    def url(self) -> str:
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = ProxyRequest.parse(await reader.readuntil(b"\r\n\r\n"))
            remote = await self._reach(request)
        except asyncio.IncompleteReadError:
            writer.close()
        except (ValueError, asyncio.LimitOverrunError) as error:
            _refuse(writer, "400 Bad Request", f"The proxy of `clary run` does not understand: {error}")
        except OSError as error:
            _refuse(writer, "502 Bad Gateway", f"The proxy of `clary run` cannot get there: {error}")
        else:
            await self._carry(request, (reader, writer), remote)

    async def _reach(self, request: ProxyRequest) -> Streams:
        """A connection to where `request` belongs, on which a plain request has been sent; or `OSError`."""
        aws = is_aws(request.host)
        if request.is_tunnel and not aws:
            return await self._outside.tunnel(request.host, request.port)
        proxy = None if aws else self._outside.proxy_for("http", request.host)
        if proxy:
            remote = await proxy.connect()
        else:
            remote = await asyncio.open_connection(*(self._platform if aws else (request.host, request.port)))
        if not request.is_tunnel:
            remote[1].write(request.head(absolute=bool(proxy), extra=proxy.authorization if proxy else ""))
        return remote

    async def _carry(self, request: ProxyRequest, program: Streams, remote: Streams) -> None:
        """Answer a CONNECT, end its TLS here if it is AWS's, and copy both ways until both have ended."""
        try:
            if request.is_tunnel:
                program[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                if is_aws(request.host):
                    await program[1].start_tls(self._authority.context(request.host))
            await asyncio.gather(_copy(program[0], remote[1]), _copy(remote[0], program[1]))
        except OSError:
            pass  # the program did not finish its handshake: its own error says why
        finally:
            program[1].close()
            remote[1].close()


def _refuse(writer: asyncio.StreamWriter, status: str, reason: str) -> None:
    body = f"{reason}\n".encode()
    headers = f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(f"HTTP/1.1 {status}\r\n{headers}".encode() + body)
    writer.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    try:
        while chunk := await source.read(CHUNK):
            target.write(chunk)
            await target.drain()
        if target.can_write_eof():
            target.write_eof()
        else:
            target.close()  # TLS cannot end one direction only
    except OSError:
        target.close()
