"""What Clary's HTTP server costs above a bare parser: a 200-byte POST answered with 200 bytes.

    python -m benchmarks.http_floor [seconds]

Beside it a trivial protocol on the same parser and loop, which neither streams nor checks anything, and uvicorn
with the smallest ASGI application; its row is left out, and said so, where it is not installed. The CPU column
is the server's own time per request, system calls included: it holds on a busy machine, where rates do not.
"""

import asyncio
import importlib.util
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import httptools
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.load import Load, measure
from clary.wire.http import Request, Response
from clary.wire.server import serve

BODY = b"0.455,0.365,0.095,0.514,0.2245,0.101,0.15\n" * 4 + b"1" * 32
REQUEST = b"POST /echo HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: text/csv\r\ncontent-length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)
CONNECTIONS = (1, 32)


async def serve_clary() -> None:
    async def echo(request: Request) -> Response:
        return Response(200, [("content-type", "text/csv")], await request.body.read(6 * 1024 * 1024))

    server = await serve(echo, "127.0.0.1", 0)
    print(server.port, flush=True)
    await asyncio.Event().wait()


class Bare(asyncio.Protocol):
    """The floor: parse, answer, nothing else."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpRequestParser(self)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body = body

    def on_message_complete(self) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/csv\r\ncontent-length: %d\r\n\r\n" % len(self._body)
        self._transport.write(head + self._body)


async def serve_bare() -> None:
    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


async def serve_uvicorn() -> None:
    import uvicorn  # type: ignore[import-not-found]

    async def echo(_scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        message = await receive()
        headers = [(b"content-type", b"text/csv"), (b"content-length", b"%d" % len(message["body"]))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": message["body"]})

    config = uvicorn.Config(echo, port=0, log_level="critical", lifespan="off", http="httptools")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    print(server.servers[0].sockets[0].getsockname()[1], flush=True)
    await serving


SERVERS = {"bare httptools protocol": serve_bare, "clary": serve_clary, "uvicorn": serve_uvicorn}


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def load(name: str, seconds: float) -> list[tuple[Load, float]]:
    """For each number of connections: the load, and the server's CPU seconds per request."""
    command = [sys.executable, "-m", "benchmarks.http_floor", "--serve", name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            port = int(server.stdout.readline())
            loads = []
            for connections in CONNECTIONS:
                before = cpu_seconds(server.pid)
                one = measure(port, REQUEST, connections, seconds)
                loads.append((one, (cpu_seconds(server.pid) - before) / one.answers))
            return loads
        finally:
            server.kill()


def main(seconds: float) -> None:
    console = Console()
    table = Table("at 1 / 32 connections", "req/s", "p50 µs", "p99 µs", "CPU µs", "rate to bare")
    floor: list[Load] = []
    for name in SERVERS:
        if name == "uvicorn" and importlib.util.find_spec("uvicorn") is None:
            console.print("uvicorn is not installed here: its row is left out")
            continue
        loads, cpu = zip(*load(name, seconds), strict=True)
        floor = floor or list(loads)
        table.add_row(
            name,
            " / ".join(f"{one.rate:,.0f}" for one in loads),
            " / ".join(f"{one.p50 * 1e6:.0f}" for one in loads),
            " / ".join(f"{one.p99 * 1e6:.0f}" for one in loads),
            " / ".join(f"{one * 1e6:.1f}" for one in cpu),
            " / ".join(f"{one.rate / bare.rate:.2f}" for one, bare in zip(loads, floor, strict=True)),
        )
    console.print(table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        uvloop.run(SERVERS[sys.argv[2]]())
    else:
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 5.0)
