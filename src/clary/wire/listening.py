"""The sockets that a server listens on, before it listens."""

import contextlib
import errno
import resource
import socket
import time

MOST_FILES = 65_536
LEAVING = 1.0
"""Seconds that processes of a killed platform may take to let its port go."""
LOOK_AGAIN = 0.01


def allow_connections() -> None:
    """Let this process have as many open files, and so connections, as it may, but no more than `MOST_FILES`: programs
    that it starts have the same limit, and old ones close every number below it."""
    allowed, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if most == resource.RLIM_INFINITY else min(MOST_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(allowed, wanted), most))


def bind(host: str, port: int, before: int = 0) -> list[socket.socket]:
    """Sockets bound to every address of `host`, all to one port; raises `OSError`.

    `before` is the port that was used before: taken where `port` is 0 and it is free, and waited for where it was that
    of a server that has just ended.
    """
    if port in (0, before):
        deadline = time.monotonic() + LEAVING
        while before:
            try:
                return _bind_all(host, before)
            except OSError as error:
                if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                    break
            time.sleep(LOOK_AGAIN)
    return _bind_all(host, port)


def _bind_all(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    with contextlib.ExitStack() as opened:
        bound: list[socket.socket] = []
        for family, kind, protocol, _, address in dict.fromkeys(found):
            listener = opened.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)
            own = bound[0].getsockname()[1] if bound else port
            listener.bind((address[0], own, *address[2:]))
            bound.append(listener)
        opened.pop_all()
        return bound
