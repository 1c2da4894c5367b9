"""The load client that the benchmarks share: ready-made request bytes over keep-alive connections.

    measure(port or Unix socket, request or requests, connections, seconds) → Load (rate, p50, p99)

Each connection sends again as soon as its answer is complete: the same bytes, or the next of many requests. It
connects anew where the server says that it closes the connection. Run it in a process of its own; the client
costs about as much as a trivial server, so on two cores it takes one of them.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from time import perf_counter
from typing import cast

import httptools
import uvloop

WARM_UP_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Load:
    answers: int
    """All of them, those of the warm-up too."""
    rate: float
    """Answers per second, after the warm-up."""
    p50: float
    p99: float
    """Seconds."""
    refused: int
    """Answers with a status other than 200."""


Target = int | str
"""A port of the loopback, or the path of a Unix socket."""


class _Client(asyncio.Protocol):
    def __init__(self, target: Target, requests: Iterator[bytes], on_answer: Callable[[int, float], None]) -> None:
        self._target = target
        self._requests = requests
        self._on_answer = on_answer
        self._reopening: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        """True when the requests ran out, False when the server hung up."""

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._began = perf_counter()
        if isinstance(self._target, int):
            await loop.create_connection(lambda: self, "127.0.0.1", self._target)
        else:
            await loop.create_unix_connection(lambda: self, self._target)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpResponseParser(self)
        self._keep = True
        self._send()

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def connection_lost(self, _error: Exception | None) -> None:
        if self._keep:
            self._end(False)
        else:
            self._reopening = asyncio.get_running_loop().create_task(self.open())

    def on_message_complete(self) -> None:
        answered = perf_counter()
        self._on_answer(self._parser.get_status_code(), answered - self._began)
        self._began = answered
        self._keep = self._parser.should_keep_alive()
        if self._keep:
            self._send()
        else:
            self._transport.close()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._end(True)
        else:
            self._transport.write(request)

    def _end(self, ran_out: bool) -> None:
        if not self.ended.done():
            self.ended.set_result(ran_out)

    def stop(self) -> None:
        self._keep = True
        if self._reopening is not None:
            self._reopening.cancel()
        self._transport.abort()


async def _measure(target: Target, requests: Iterator[bytes], connections: int, seconds: float) -> Load:
    times: list[float] = []
    refused = 0

    def on_answer(status: int, elapsed: float) -> None:
        nonlocal refused
        times.append(elapsed)
        refused += status != 200

    clients = [_Client(target, requests, on_answer) for _ in range(connections)]
    for client in clients:
        await client.open()
    await asyncio.sleep(WARM_UP_SECONDS)
    warm_up, refused, began = len(times), 0, perf_counter()
    times.clear()
    await asyncio.wait([client.ended for client in clients], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    elapsed = perf_counter() - began
    lost = sum(client.ended.done() and not client.ended.result() for client in clients)
    for client in clients:
        client.stop()
    if lost:
        raise ConnectionError(f"the server closed {lost} of {connections} connections under load")
    if not times:
        raise ConnectionError(f"no call of {connections} connections was answered in {elapsed:.1f} s after the warm-up")
    times.sort()
    return Load(
        warm_up + len(times), len(times) / elapsed, times[len(times) // 2], times[len(times) * 99 // 100], refused
    )


def measure(target: Target, request: bytes | Iterable[bytes], connections: int, seconds: float) -> Load:
    """Load a server for `seconds` or until the requests run out; `ConnectionError` when it hangs up."""
    requests = repeat(request) if isinstance(request, bytes) else iter(request)
    return uvloop.run(_measure(target, requests, connections, seconds))
