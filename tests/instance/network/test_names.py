"""Queries of an instance's own network, answered by name servers of the host's."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from clary.instance.network import names
from clary.instance.network.names import MOST_QUERIES, Names
from clary.instance.network.relay import Relay

PATIENCE = 20.0


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[socket.socket]:
    """The second of the host's name servers; the first does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        configuration = tmp_path / "resolv.conf"
        configuration.write_text("# nameserver 127.0.0.9\nnameserver fe80::1%eth0\nnameserver 127.0.0.2\n")
        with configuration.open("a") as file:
            file.write("nameserver 127.0.0.1\nsearch example.com\n")
        monkeypatch.setattr(names, "CONFIGURATION", str(configuration))
        monkeypatch.setattr(names, "PORT", sock.getsockname()[1])
        yield sock


@pytest.fixture
def client() -> Iterator[socket.socket]:
    """Connected to a `Names`."""
    relay, queries = Relay(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    queries.bind(("127.0.0.1", 0))
    Names(relay, queries)
    threading.Thread(target=relay.run, daemon=True).start()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(queries.getsockname())
        yield sock


def test_the_first_answer_counts(server: socket.socket, client: socket.socket) -> None:
    client.send(b"query")
    query, asker = server.recvfrom(512)
    assert query == b"query"
    server.sendto(b"answer", asker)
    assert client.recv(512) == b"answer"


def test_a_strangers_answer_does_not(server: socket.socket, client: socket.socket) -> None:
    client.send(b"query")
    _, asker = server.recvfrom(512)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.sendto(b"a lie", ("127.0.0.1", asker[1]))
    server.sendto(b"answer", asker)
    assert client.recv(512) == b"answer"


def test_queries_that_nobody_answers_do_not_add_up(server: socket.socket, client: socket.socket) -> None:
    for _ in range(MOST_QUERIES * 4):
        client.send(b"unanswered")
        server.recv(512)
    client.send(b"query")
    _, asker = server.recvfrom(512)
    server.sendto(b"answer", asker)
    assert client.recv(512) == b"answer"
