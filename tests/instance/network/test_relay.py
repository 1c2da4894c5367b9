"""Relays between real sockets: nothing is lost, changed or held up, and each side learns of the other's end."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from clary.instance.network.relay import CHUNK, Relay, connecting

PATIENCE = 20.0
BODY = os.urandom(1024) * 8 * 1024


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listening:
        listening.settimeout(PATIENCE)
        yield listening


@pytest.fixture
def call(server: socket.socket, tmp_path: Path) -> Callable[[], socket.socket]:
    """Connects to the server by way of a relay."""
    relay, near = Relay(), socket.socket(socket.AF_UNIX)
    near.bind(str(tmp_path / "socket"))
    near.listen(1024)
    address = server.getsockname()
    relay.add(near, lambda _near: connecting(address))
    threading.Thread(target=relay.run, daemon=True).start()

    def connect() -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(PATIENCE)
        client.connect(str(tmp_path / "socket"))
        return client

    return connect


def everything(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(CHUNK), b""))


def test_a_side_that_has_said_all_still_hears(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    def answer() -> None:
        with server.accept()[0] as far:
            far.sendall(everything(far)[::-1])

    threading.Thread(target=answer, daemon=True).start()
    with call() as client:
        client.sendall(BODY)
        client.shutdown(socket.SHUT_WR)
        assert everything(client) == BODY[::-1]


def test_both_ways_at_once(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    def echo() -> None:
        with server.accept()[0] as far:
            while data := far.recv(CHUNK):
                far.sendall(data)

    threading.Thread(target=echo, daemon=True).start()
    with call() as client:
        sender = threading.Thread(target=lambda: (client.sendall(BODY), client.shutdown(socket.SHUT_WR)))
        sender.start()
        assert everything(client) == BODY
        sender.join()


def test_who_is_slow_holds_up_its_own_sender_alone(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    with call() as slow, server.accept()[0] as deaf:
        slow.settimeout(0.5)
        sent = 0
        with contextlib.suppress(TimeoutError):
            while True:
                sent += slow.send(BODY)
        assert sent < 64 * 1024 * 1024
        with call() as quick, server.accept()[0] as far:
            quick.sendall(b"ping")
            assert far.recv(4) == b"ping"
        slow.shutdown(socket.SHUT_WR)
        assert len(everything(deaf)) >= sent


def test_hundreds_of_connections(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    clients = [call() for _ in range(300)]
    servers = [server.accept()[0] for _ in clients]
    for number, client in enumerate(clients):
        client.sendall(b"%d" % number)
    assert sorted(int(far.recv(9)) for far in servers) == list(range(300))
    for sock in (*clients, *servers):
        sock.close()


def test_a_server_that_does_not_listen_yet_is_a_reset(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    server.close()
    with call() as client, contextlib.suppress(ConnectionResetError, BrokenPipeError):
        client.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert client.recv(1) == b""


def test_a_client_that_leaves_is_told_to_the_server(server: socket.socket, call: Callable[[], socket.socket]) -> None:
    """Also one that had said all: nobody works for who is not there."""
    for says_all in (False, True):
        client = call()
        far, _ = server.accept()
        far.settimeout(PATIENCE)
        client.sendall(b"a request")
        assert far.recv(9) == b"a request"
        if says_all:
            client.shutdown(socket.SHUT_WR)
            assert far.recv(1) == b""
        client.close()
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            while says_all or far.recv(1):
                assert time.monotonic() < deadline
                far.sendall(b"an answer")
                time.sleep(0.01)
        far.close()


def test_an_answer_that_comes_before_the_question_is_read(
    server: socket.socket, call: Callable[[], socket.socket]
) -> None:
    """A server that refuses a body closes without reading it."""
    with call() as client:
        far, _ = server.accept()
        far.sendall(b"413")
        assert client.recv(3) == b"413"
        far.close()
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            while True:
                client.sendall(BODY)
