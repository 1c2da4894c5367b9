"""Names in an instance's own network: its queries (RFC 1035, over UDP) go on to the host's name servers, of which the
first answer counts."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from clary.instance.network.relay import Relay

CONFIGURATION = "/etc/resolv.conf"
PORT = 53
LARGEST = 65535
MOST_QUERIES = 256
"""Unanswered at once; the oldest is given up for a new one. A resolver asks again within seconds."""


class Names:
    def __init__(self, relay: Relay, queries: socket.socket) -> None:
        self._relay = relay
        self._queries = queries
        self._asked: dict[socket.socket, tuple[str, int]] = {}
        """Socket of a query, oldest first → who asked."""
        queries.setblocking(False)
        relay.watch(queries, select.EPOLLIN, self._ask)

    def servers(self) -> list[str]:
        """The host's, read each time: a laptop changes its network."""
        fields: list[list[str]] = []
        with contextlib.suppress(OSError), open(CONFIGURATION, encoding="utf-8") as file:
            fields = [line.split() for line in file]
        # Those of IPv6 are most often the same machines.
        named = [field[1] for field in fields if field[:1] == ["nameserver"] and "." in "".join(field[1:2])]
        return named or ["127.0.0.1"]

    def _ask(self, _events: int) -> None:
        with contextlib.suppress(OSError):
            query, client = self._queries.recvfrom(LARGEST)
            if len(self._asked) >= MOST_QUERIES:
                self._close(next(iter(self._asked)))
            sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            self._asked[sock] = client
            self._relay.watch(sock, select.EPOLLIN, lambda _events: self._answer(sock))
            for server in self.servers():
                with contextlib.suppress(OSError):
                    sock.sendto(query, (server, PORT))

    def _answer(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            answer, (server, port) = sock.recvfrom(LARGEST)
            if port != PORT or server not in self.servers():
                return
            self._queries.sendto(answer, self._asked[sock])
        self._close(sock)

    def _close(self, sock: socket.socket) -> None:
        del self._asked[sock]
        self._relay.forget(sock)
        sock.close()
