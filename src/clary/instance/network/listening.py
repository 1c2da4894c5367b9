"""The address of a server that other machines are to reach.

The agent binds the socket and hands it to the program: no other takes the port in between, and the program needs no
network of its own to be reached. Until the program listens, whoever connects is refused.
"""

from __future__ import annotations

import socket


def bind(host: str) -> tuple[int, str]:
    """A socket on a free port of `host`, an address of this machine; and `host:port`."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.bind((host, 0))
    port = listener.getsockname()[1]
    return listener.detach(), f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
