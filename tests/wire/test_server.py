"""The server over real sockets: framing, order, back-pressure, limits, and clients that misbehave."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clary.wire import connection
from clary.wire.bodies import DISCARD_LIMIT, HIGH_WATER
from clary.wire.http import BodyTimeout, BodyTooLarge, ClientDisconnected, FileBody, Request, Response
from clary.wire.server import Server, serve
from tests.wire.sockets import Wire, serving

GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


def post(body: bytes, path: str = "/", headers: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {len(body)}\r\n\r\n"
    return head.encode("latin-1") + body


async def echo(request: Request) -> Response:
    return Response(200, [("x-target", request.target)], await request.body.read(2**24))


async def ignore(_request: Request) -> Response:
    return Response(403, [], b"not you")


async def test_answers_carry_status_headers_date_and_body() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(post(b"hello", "/a%20b?x=1"))
        answer = await wire.answer()
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.headers["x-target"] == "/a%20b?x=1"
    assert answer.headers["date"].endswith("GMT")


async def test_request_headers_keep_order_and_doubles() -> None:
    seen: list[Request] = []

    async def note(request: Request) -> Response:
        seen.append(request)
        return Response()

    async with serving(note) as server, Wire(server.port) as wire:
        await wire.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: 1\r\nx-b: \xe9\r\nx-a: 2\r\n\r\n")
        await wire.answer()
    headers = seen[0].headers
    assert list(headers) == [("host", "x"), ("x-a", "1"), ("x-b", "\xe9"), ("x-a", "2")]
    assert headers.get("X-A") == "1"
    assert headers.all("X-a") == ["1", "2"]
    assert seen[0].peer == "127.0.0.1"


async def test_pipelined_requests_are_answered_in_order() -> None:
    release = asyncio.Event()

    async def slow_first(request: Request) -> Response:
        if request.path == "/0":
            await release.wait()
        return Response(200, [], request.path.encode() + await request.body.read(100))

    async with serving(slow_first) as server, Wire(server.port) as wire:
        await wire.send(b"".join(post(b"body", f"/{n}") for n in range(50)))
        release.set()
        assert [(await wire.answer()).body for _ in range(50)] == [b"/%dbody" % n for n in range(50)]


async def test_request_sent_byte_by_byte() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        for byte in post(b"slow"):
            await wire.send(bytes([byte]))
        assert (await wire.answer()).body == b"slow"


async def test_chunked_request_and_its_trailers() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        head = b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        await wire.send(head + b"3\r\nabc\r\n5\r\ndefgh\r\n0\r\nx-trailer: 1\r\n\r\n" + post(b"next"))
        assert (await wire.answer()).body == b"abcdefgh"
        assert (await wire.answer()).body == b"next"


async def test_head_has_the_length_and_no_body() -> None:
    async def with_length(_request: Request) -> Response:
        return Response(200, [("Content-Length", "12345")], b"")

    async with serving(with_length) as server, Wire(server.port) as wire:
        await wire.send(b"HEAD / HTTP/1.1\r\nhost: x\r\n\r\n" * 2)
        for _ in range(2):
            assert (await wire.answer(head_only=True)).headers["content-length"] == "12345"


async def test_no_content_has_neither_length_nor_body() -> None:
    async def gone(_request: Request) -> Response:
        return Response(204)

    async with serving(gone) as server, Wire(server.port) as wire:
        await wire.send(GET + GET)
        first, second = await wire.answer(head_only=True), await wire.answer(head_only=True)
    assert first.status == second.status == 204
    assert "content-length" not in first.headers


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_iterators_are_chunked_or_end_with_the_connection(version: str) -> None:
    async def counted() -> AsyncIterator[bytes]:
        for n in range(10):
            yield b"%d," % n

    async def stream(_request: Request) -> Response:
        return Response(200, [], counted())

    async with serving(stream) as server, Wire(server.port) as wire:
        await wire.send(f"GET / HTTP/{version}\r\nhost: x\r\n\r\n".encode())
        answer = await wire.answer()
    assert answer.body == b"0,1,2,3,4,5,6,7,8,9,"
    assert ("transfer-encoding" in answer.headers) is (version == "1.1")


async def test_iterator_shorter_than_announced_cuts_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    async def short() -> AsyncIterator[bytes]:
        yield b"abc"

    async def stream(_request: Request) -> Response:
        return Response(200, [("content-length", "10")], short())

    async with serving(stream) as server, Wire(server.port) as wire:
        await wire.send(GET)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionResetError)):
            await wire.answer()
    assert "announced as 10 bytes ended at 3" in caplog.text


@pytest.mark.parametrize(("offset", "length"), [(0, 3_000_000), (1_000_001, 1_500_000), (7, 0)])
async def test_file_parts(tmp_path: Path, offset: int, length: int) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(content)

    async def part(_request: Request) -> Response:
        return Response(206, [], FileBody(tmp_path / "file", offset, length))

    async with serving(part) as server, Wire(server.port) as wire:
        await wire.send(GET + GET)
        for _ in range(2):
            assert (await wire.answer()).body == content[offset : offset + length]


async def test_slow_reader_does_not_fill_memory() -> None:
    produced = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal produced
        while True:
            produced += 2**16
            yield bytes(2**16)

    async def stream(_request: Request) -> Response:
        return Response(200, [], endless())

    async with serving(stream) as server, Wire(server.port) as wire:
        await wire.send(GET)
        await wire.reader.readexactly(2**16)
        # What the kernel's two socket buffers, the client's and ours hold together is a few megabytes.
        before = -1
        while before != produced:
            before = produced
            await asyncio.sleep(0.1)
        assert produced < 32 * 2**20


async def test_body_is_read_only_as_fast_as_the_handler_takes_it() -> None:
    go_on, started = asyncio.Event(), asyncio.Event()
    buffered: list[int] = []

    async def hold(request: Request) -> Response:
        started.set()
        await go_on.wait()
        buffered.append(request.body.buffered)  # type: ignore[attr-defined]
        return Response(200, [], b"%d" % sum([len(chunk) async for chunk in request.body]))

    async with serving(hold) as server, Wire(server.port) as wire:
        body = bytes(32 * 2**20)
        sending = asyncio.create_task(wire.send(post(body)))
        await started.wait()
        await asyncio.wait([sending], timeout=0.3)
        assert not sending.done()
        go_on.set()
        assert (await wire.answer()).body == b"%d" % len(body)
        await sending
    assert HIGH_WATER < buffered[0] < HIGH_WATER + 2**20


async def test_body_too_large_is_413_and_the_connection_goes_on() -> None:
    async def small(request: Request) -> Response:
        return Response(200, [], await request.body.read(10))

    async with serving(small) as server, Wire(server.port) as wire:
        await wire.send(post(bytes(5_000_000)))
        assert (await wire.answer()).status == 413
        await wire.send(post(b"0123456789"))
        assert (await wire.answer()).body == b"0123456789"


async def test_chunked_body_too_large() -> None:
    async def small(request: Request) -> Response:
        with pytest.raises(BodyTooLarge, match="10 bytes"):
            await request.body.read(10)
        return Response(413)

    async with serving(small) as server, Wire(server.port) as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        await wire.send(b"b\r\n01234567890\r\n0\r\n\r\n")
        assert (await wire.answer()).status == 413


async def test_unread_body_is_drained() -> None:
    async with serving(ignore) as server, Wire(server.port) as wire:
        for _ in range(3):
            await wire.send(post(bytes(3_000_000)))
            assert (await wire.answer()).body == b"not you"


async def test_unread_body_past_the_bound_is_cut_off() -> None:
    async with serving(ignore) as server, Wire(server.port) as wire:
        head = f"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: {2 * DISCARD_LIMIT}\r\n\r\n"
        await wire.send(head.encode())
        assert (await wire.answer()).status == 403
        with pytest.raises(ConnectionError):
            await wire.send(bytes(2 * DISCARD_LIMIT))


async def test_continue_is_sent_when_the_handler_reads() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(b"PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        assert (await wire.answer()).status == 100
        await wire.send(b"hello")
        assert (await wire.answer()).body == b"hello"


async def test_continue_is_sent_for_an_empty_body_too() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(b"PUT /empty HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 0\r\n\r\n")
        assert (await wire.answer()).status == 100
        assert (await wire.answer()).status == 200


async def test_no_continue_when_the_handler_refuses() -> None:
    async with serving(ignore) as server, Wire(server.port) as wire:
        await wire.send(b"PUT / HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (403, "close")
        assert await wire.closed()


async def test_crash_is_500_with_a_logged_request_id(caplog: pytest.LogCaptureFixture) -> None:
    async def crash(request: Request) -> Response:
        if request.path == "/crash":
            raise RuntimeError("what broke")
        return Response(200, [], b"fine")

    async with serving(crash) as server, Wire(server.port) as wire:
        await wire.send(post(b"unread", "/crash") + GET)
        answer = await wire.answer()
        assert answer.status == 500
        assert b"what broke" not in answer.body
        assert answer.headers["x-amzn-requestid"] in caplog.text
        assert "what broke" in caplog.text
        assert (await wire.answer()).body == b"fine"


async def test_line_break_in_a_response_header_is_a_crash_not_a_header() -> None:
    async def split(_request: Request) -> Response:
        return Response(200, [("x-a", "1\r\nx-evil: 2")])

    async with serving(split) as server, Wire(server.port) as wire:
        await wire.send(GET)
        answer = await wire.answer()
    assert answer.status == 500
    assert "x-evil" not in answer.headers


async def test_disconnect_cancels_the_handler() -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_request: Request) -> Response:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        return Response()

    async with serving(wait) as server:
        async with Wire(server.port) as wire:
            await wire.send(GET)
            await started.wait()
        await asyncio.wait_for(cancelled.wait(), 5)


async def test_disconnect_in_the_middle_of_a_body() -> None:
    outcome: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    async def shielded(request: Request) -> Response:
        async def read() -> None:
            try:
                await request.body.read(100)
            except ClientDisconnected as error:
                outcome.set_result(error)

        await asyncio.shield(asyncio.create_task(read()))
        return Response()

    async with serving(shielded) as server:
        async with Wire(server.port) as wire:
            await wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nhalf")
        assert "went away" in str(await asyncio.wait_for(outcome, 5))


@pytest.mark.parametrize(
    "junk",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET  HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: a\x00b\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_malformed_heads_are_400_after_the_answers_before_them(junk: bytes) -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(post(b"first") + junk)
        assert (await wire.answer()).body == b"first"
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")
        assert await wire.closed()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nx: " + b"a" * 70_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nx: " + b"a" * 400_000,
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"".join(b"x-%d: 1\r\n" % n for n in range(300)) + b"\r\n",
    ],
)
async def test_huge_heads_are_431(head: bytes) -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(head)
        assert (await wire.answer()).status == 431


async def test_upgrades_are_not_taken_up() -> None:
    upgrade = "connection: upgrade\r\nupgrade: h2c\r\n"
    async with serving(echo) as server, Wire(server.port) as wire, Wire(server.port) as other:
        await wire.send(f"GET /a HTTP/1.1\r\nhost: x\r\n{upgrade}\r\n".encode())
        answer = await wire.answer()
        assert (answer.status, answer.headers["x-target"], answer.headers["connection"]) == (200, "/a", "close")
        await other.send(post(b"body", headers=upgrade))
        assert (await other.answer()).status == 400


async def test_broken_chunk_in_a_body_is_400() -> None:
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n")
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (400, "close")


async def test_slow_head_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.0)
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(b"GET / HTT")
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(wire.reader.readexactly(1), 5)


async def test_idle_connection_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.0)
    async with serving(echo) as server, Wire(server.port) as wire:
        await wire.send(GET)
        assert (await wire.answer()).status == 200
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(wire.reader.readexactly(1), 5)


async def test_stalled_body_is_408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.0)
    errors: list[Exception] = []

    async def read(request: Request) -> Response:
        try:
            return Response(200, [], await request.body.read(100))
        except BodyTimeout as error:
            errors.append(error)
            raise

    async with serving(read) as server, Wire(server.port) as wire:
        await wire.send(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nhalf")
        answer = await asyncio.wait_for(wire.answer(), 5)
    assert (answer.status, answer.headers["connection"]) == (408, "close")
    assert errors


async def test_reader_that_stalls_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.0)
    cancelled = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield bytes(2**20)
        finally:
            cancelled.set()

    async def stream(_request: Request) -> Response:
        return Response(200, [], endless())

    async with serving(stream) as server, Wire(server.port) as wire:
        await wire.send(GET)
        await asyncio.wait_for(cancelled.wait(), 10)


async def test_close_waits_for_the_exchange_under_way() -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_request: Request) -> Response:
        started.set()
        await release.wait()
        return Response(200, [], b"done")

    server = await serve(slow, "127.0.0.1", 0)
    async with Wire(server.port) as wire, Wire(server.port) as idle:
        await wire.send(GET)
        await started.wait()
        closing = asyncio.create_task(server.close(grace=10))
        assert await idle.closed()
        release.set()
        answer = await wire.answer()
        assert (answer.body, answer.headers["connection"]) == (b"done", "close")
        await closing
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)


async def test_close_cuts_off_what_outlasts_its_grace() -> None:
    started = asyncio.Event()

    async def forever(_request: Request) -> Response:
        started.set()
        await asyncio.Event().wait()
        return Response()

    server = await serve(forever, "127.0.0.1", 0)
    async with Wire(server.port) as wire:
        await wire.send(GET)
        await started.wait()
        await server.close(grace=0)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await wire.reader.readexactly(1)


async def test_unix_socket(tmp_path: Path) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(tmp_path / "s"))
    server: Server = await serve(echo, "", 0, sock=sock)
    reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
    writer.write(post(b"local"))
    assert b"local" in await reader.readuntil(b"local")
    writer.close()
    await server.close(grace=0)


async def test_many_connections_at_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)

    async def client(port: int, name: int) -> None:
        async with Wire(port) as wire:
            for turn in range(20):
                body = b"%d-%d" % (name, turn)
                await wire.send(post(body))
                assert (await wire.answer()).body == body

    async with serving(echo) as server:
        await asyncio.gather(*(client(server.port, name) for name in range(50)))
    assert not caplog.records
