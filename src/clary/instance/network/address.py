"""Addresses that engines give of servers: `unix:/path` or `host:port`."""

import http.client
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def socket_path(address: str) -> Iterator[str | None]:
    """A path to connect to a Unix socket by, None for `host:port`. Raises `ConnectionRefusedError` for a link.

    The directory is the instance's own: a link in it may lead to a socket that is not. The path is that of an open
    file, so that what was looked at is what is connected to, whatever the program puts in its place meanwhile.
    """
    scheme, _, where = address.partition(":")
    if scheme != "unix":
        yield None
        return
    fd = os.open(where, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise ConnectionRefusedError(where)
        yield f"/proc/self/fd/{fd}"
    finally:
        os.close(fd)


def host_and_port(address: str) -> tuple[str, int]:
    """Of `host:port`; that of an IPv6 address is `[host]:port`."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


class ServerConnection(http.client.HTTPConnection):
    """HTTP to an engine's address."""

    def __init__(self, address: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._address = address

    def connect(self) -> None:
        with socket_path(self._address) as path:
            if path is None:
                self.sock = socket.create_connection(host_and_port(self._address), self.timeout)
                self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            else:
                self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                self.sock.settimeout(self.timeout)
                self.sock.connect(path)
