"""Addresses that engines give of servers: `unix:/path` or `host:port`."""

import os


def socket_path(address: str) -> str | None:
    """The path of a Unix socket, None for `host:port`. Raises `ConnectionRefusedError` for a link.

    The directory is the instance's own: a link in it may lead to a socket that is not.
    """
    scheme, _, where = address.partition(":")
    if scheme != "unix":
        return None
    if os.path.islink(where):
        raise ConnectionRefusedError(where)
    return where
