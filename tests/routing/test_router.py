"""Invocations over real sockets: choice of variant and replica, failures, time-outs, streams."""

import asyncio
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from clary.records.record import Scope
from clary.routing import connection as connection_module
from clary.routing.connection import Answer, AnswerTooLarge
from clary.routing.health import answers_ping
from clary.routing.message import Message
from clary.routing.router import MOST_HELD, Full, NoReplica, NoSuchEndpoint, NoSuchVariant, Router
from clary.routing.routes import Container, Route, Target, Variant
from clary.routing.server import AnswerLost, AnswerTimeout, ModelServer

SCOPE = Scope("123456789012", "us-east-1")
EMPTY = Message((), b"")

Answering = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def route(*variants: tuple[str, float, list[Target]], timeout: float = 60.0) -> Route:
    return Route(tuple(Variant(name, weight, tuple(targets), timeout=timeout) for name, weight, targets in variants))


def at(name: str, address: str) -> Target:
    return Target(name, (Container(address),))


async def invoke(
    router: Router, variant: str | None = None, message: Message = EMPTY, streaming: bool = False
) -> tuple[str, Answer]:
    pool = router.find(SCOPE, "e").choose(variant)
    return pool.variant.name, await pool.send(message, streaming)


def says(text: bytes) -> Answering:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(text), text))

    return answer


@asynccontextmanager
async def serving(path: Path, answer: Answering, *, tcp: bool = False) -> AsyncIterator[Target]:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    address = f"unix:{path}"
    if tcp:
        server = await asyncio.start_server(connected, "127.0.0.1", 0)
        address = "{}:{}".format(*server.sockets[0].getsockname())
    else:
        server = await asyncio.start_unix_server(connected, path)
    try:
        yield at(path.name, address)
    finally:
        server.close()


async def test_the_answer_is_the_models(tmp_path: Path) -> None:
    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", says(b"hello")) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target])))
        for _ in range(3):
            variant, answer = await invoke(router)
            assert (variant, answer.status, answer.body) == ("All", 200, b"hello")


async def test_weights_decide_and_zero_gets_nothing(tmp_path: Path) -> None:
    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", says(b"a")) as a, serving(tmp_path / "b", says(b"b")) as b:
        router.publish(SCOPE, "e", route(("A", 3.0, [a]), ("B", 1.0, [b]), ("C", 0.0, [])))
        answers = [(await invoke(router))[0] for _ in range(400)]
        assert 230 < answers.count("A") < 370
        assert answers.count("A") + answers.count("B") == 400
        assert (await invoke(router, "B"))[1].body == b"b"


async def test_a_dead_replica_is_passed_over_and_reported(tmp_path: Path) -> None:
    down: list[str] = []
    router = Router(on_down=down.append)
    async with serving(tmp_path / "alive", says(b"alive")) as alive:
        dead = at("dead", f"unix:{tmp_path / 'dead'}")
        router.publish(SCOPE, "e", route(("All", 1.0, [dead, alive])))
        answers = [(await invoke(router))[1].body for _ in range(30)]
        assert answers == [b"alive"] * 30
        assert set(down) == {"dead"}


async def test_without_any_replica_it_says_so(tmp_path: Path) -> None:
    router = Router(on_down=lambda _: None)
    router.publish(SCOPE, "e", route(("All", 1.0, [at("dead", f"unix:{tmp_path / 'dead'}")])))
    with pytest.raises(NoReplica):
        await invoke(router)
    with pytest.raises(NoSuchVariant):
        await invoke(router, "Other")
    router.withdraw(SCOPE, "e")
    with pytest.raises(NoSuchEndpoint):
        await invoke(router)


async def test_a_connection_that_the_server_closed_is_not_used_again(tmp_path: Path) -> None:
    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", once) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target])))
        for _ in range(5):
            assert (await invoke(router))[1].body == b"ok"


async def test_a_model_that_does_not_answer_times_out(tmp_path: Path) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", silent) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target]), timeout=0.1))
        with pytest.raises(AnswerTimeout):
            await invoke(router)


async def test_an_answer_that_breaks_off_is_not_asked_of_another(tmp_path: Path) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")

    down: list[str] = []
    router = Router(on_down=down.append)
    async with serving(tmp_path / "a", half) as one, serving(tmp_path / "b", half) as other:
        router.publish(SCOPE, "e", route(("All", 1.0, [one, other])))
        with pytest.raises(AnswerLost):
            await invoke(router)
    assert len(down) == 1


async def test_a_stream_is_handed_on_as_it_comes(tmp_path: Path) -> None:
    proceed = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await writer.drain()
        await proceed.wait()
        writer.write(b"3\r\ntwo\r\n0\r\n\r\n")

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", stream) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target])))
        _, answer = await invoke(router, streaming=True)
        assert not isinstance(answer.body, bytes)
        assert await anext(answer.body) == b"one"
        proceed.set()
        assert [chunk async for chunk in answer.body] == [b"two"]


async def test_the_least_busy_replica_is_asked(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await held.wait()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow")

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "slow", slow) as busy, serving(tmp_path / "b", says(b"free")) as free:
        router.publish(SCOPE, "e", route(("All", 1.0, [busy])))
        waiting = asyncio.create_task(invoke(router))
        await asyncio.sleep(0)
        router.publish(SCOPE, "e", route(("All", 1.0, [busy, free])))
        answers = [(await invoke(router))[1].body for _ in range(3)]
        assert answers == [b"free"] * 3
        held.set()
        assert (await waiting)[1].body == b"slow"


async def test_a_model_that_does_not_read_times_out_too(tmp_path: Path) -> None:
    """A body that does not fit into the socket's buffer is still being written when time is over."""
    held = asyncio.Event()

    async def deaf(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await held.wait()

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", deaf) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target]), timeout=0.2))
        with pytest.raises(AnswerTimeout):
            await asyncio.wait_for(invoke(router, message=Message((), bytes(6 << 20))), 5)
        held.set()


async def test_an_answer_without_end_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "LARGEST_ANSWER", 1000)
    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", says(b"x" * 1001)) as target:
        router.publish(SCOPE, "e", route(("All", 1.0, [target])))
        with pytest.raises(AnswerTooLarge):
            await invoke(router)


async def test_a_link_in_place_of_the_socket_is_not_followed(tmp_path: Path) -> None:
    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "host.sock", says(b"secret")):
        (tmp_path / "server.sock").symlink_to(tmp_path / "host.sock")
        address = f"unix:{tmp_path / 'server.sock'}"
        router.publish(SCOPE, "e", route(("All", 1.0, [at("a", address)])))
        with pytest.raises(NoReplica):
            await invoke(router)
        assert not await asyncio.to_thread(answers_ping, address)


async def test_over_the_network_too(tmp_path: Path) -> None:
    """Answers, a connection that is used again, a stream, and a replica that has gone."""
    connected: list[object] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n")
            await writer.drain()
            writer.write(b"2\r\ncd\r\n0\r\n\r\n")

    down: list[str] = []
    router = Router(on_down=down.append)
    async with serving(tmp_path / "a", answer, tcp=True) as target:
        assert not await asyncio.to_thread(answers_ping, "127.0.0.1:9")
        assert await asyncio.to_thread(answers_ping, target.containers[0].address)
        router.publish(SCOPE, "e", route(("All", 1.0, [target])))
        for _ in range(3):
            assert (await invoke(router))[1].body == b"abcd"
        assert len(connected) == 2
        _, streamed = await invoke(router, streaming=True)
        assert not isinstance(streamed.body, bytes)
        assert b"".join([chunk async for chunk in streamed.body]) == b"abcd"
    with pytest.raises((NoReplica, AnswerLost)):
        await invoke(router)
    assert down == ["a"]


async def test_small_requests_do_not_wait_for_more(tmp_path: Path) -> None:
    async with serving(tmp_path / "a", says(b"hello"), tcp=True) as target:
        server = ModelServer(target.containers[0])
        connection = await server._connect_now()
        assert connection._transport is not None
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        connection.close()


async def test_a_replica_has_no_more_under_way_than_it_may(tmp_path: Path) -> None:
    """A stream is under way to its end."""
    proceed = asyncio.Event()

    async def stream(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\none\r\n")
        await proceed.wait()
        writer.write(b"0\r\n\r\n")

    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "a", stream) as target:
        router.publish(SCOPE, "e", Route((Variant("All", targets=(target,), waiting=1),)))
        pool = router.find(SCOPE, "e").choose(None)
        pool.admit(1)
        answer = await pool.send(EMPTY, streaming=True)
        assert not isinstance(answer.body, bytes)
        assert await anext(answer.body) == b"one"
        with pytest.raises(Full):
            pool.admit(0)
        proceed.set()
        assert [chunk async for chunk in answer.body] == []
        pool.admit(0)
        with pytest.raises(Full):
            pool.admit(MOST_HELD + 1)


async def test_what_was_withdrawn_is_not_published_again_by_who_did_not_hear() -> None:
    router = Router(on_down=lambda _: None)
    router.publish(SCOPE, "e", Route((Variant("All"),), owner="first"))
    router.withdraw(SCOPE, "e", "first")
    router.publish(SCOPE, "e", Route((Variant("All"),), owner="first"))
    with pytest.raises(NoSuchEndpoint):
        router.find(SCOPE, "e")
    router.publish(SCOPE, "e", Route((Variant("All"),), owner="second"))
    router.withdraw(SCOPE, "e", "first")
    assert router.find(SCOPE, "e").route.owner == "second"


def test_variants_are_chosen_by_weight() -> None:
    """A chi-square test over 10,000 calls: with two degrees of freedom a fair choice exceeds 13.8 once in 1,000."""
    random.seed(11)
    weights = {"a": 1.0, "b": 2.0, "c": 7.0}
    router = Router(on_down=lambda _: None)
    router.publish(SCOPE, "e", route(*((name, weight, []) for name, weight in weights.items())))
    served = router.find(SCOPE, "e")
    seen = Counter(served.choose(None).variant.name for _ in range(10_000))
    expected = {name: weight * 1000 for name, weight in weights.items()}
    assert sum((seen[name] - count) ** 2 / count for name, count in expected.items()) < 13.8


async def test_incoming_replicas_answer_their_share_and_stand_in_for_the_others(tmp_path: Path) -> None:
    random.seed(11)
    router = Router(on_down=lambda _: None)
    async with serving(tmp_path / "old", says(b"old")) as old, serving(tmp_path / "new", says(b"new")) as new:
        variant = Variant("v", 1.0, (old,), incoming=(new,), incoming_share=0.25)
        router.publish(SCOPE, "e", Route((variant,)))
        answers = Counter([(await invoke(router))[1].body for _ in range(400)])
        assert 70 < answers[b"new"] < 130
        gone = at("gone", f"unix:{tmp_path}/gone")
        router.publish(SCOPE, "e", Route((replace(variant, incoming=(gone,), incoming_share=1.0),)))
        assert (await invoke(router))[1].body == b"old"
