"""Addresses that engines give of servers: `unix:/path` or `host:port`."""

import os
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
