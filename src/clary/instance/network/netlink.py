"""Netlink: the kernel's network by messages, without tools that may not be installed (netlink(7), rtnetlink(7)).

link("bridge", "switch") + up(…)  ─▶  Netlink(ROUTE).ask(…)  ─▶  the network namespace that the process is in
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence

ROUTE, NETFILTER = 0, 12
REQUEST, ACK, CREATE, EXCLUSIVE, APPEND = 0x1, 0x4, 0x400, 0x200, 0x800
ERROR = 2
NESTED = 0x8000

NEW_LINK, NEW_ADDRESS, NEW_ROUTE = 16, 20, 24
NAME, MASTER, LINK_INFO, NAMESPACE = 3, 10, 18, 28
"""Attributes of a link: IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD."""
KIND, DATA, PEER = 1, 2, 1
"""Of its information: IFLA_INFO_KIND, IFLA_INFO_DATA, VETH_INFO_PEER."""
UP = 1
MAIN_TABLE, STATIC, LINK_SCOPE, UNICAST = 254, 4, 253, 1


class Netlink:
    """A conversation with the network namespace that the process was in when it began it."""

    def __init__(self, protocol: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, protocol)
        self._socket.bind((0, 0))

    def ask(self, *messages: bytes, answers: int | None = None) -> None:
        """Send them at once, and wait for as many answers. Raises the OSError of the first that was refused."""
        self._socket.send(b"".join(messages))
        left = len(messages) if answers is None else answers
        while left > 0:
            data = self._socket.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == ERROR:
                    (number,) = struct.unpack_from("=i", data, 16)
                    if number:
                        raise OSError(-number, f"netlink: {os.strerror(-number)}")
                    left -= 1
                data = data[_padded(length) :]

    def close(self) -> None:
        self._socket.close()


def message(kind: int, flags: int, body: bytes) -> bytes:
    return struct.pack("=IHHII", 16 + len(body), kind, flags, 0, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    length = 4 + len(value)
    return struct.pack("=HH", length, kind) + value + b"\0" * (_padded(length) - length)


def nested(kind: int, parts: Sequence[bytes]) -> bytes:
    return attribute(kind | NESTED, b"".join(parts))


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def new_link(kind: str, name: str) -> bytes:
    information = nested(LINK_INFO, [text(KIND, kind)])
    return message(NEW_LINK, REQUEST | ACK | CREATE | EXCLUSIVE, _link() + text(NAME, name) + information)


def new_pair(name: str, bridge: int, peer: str, namespace: int) -> bytes:
    """Two ends of a virtual cable: `name` here, a port of `bridge`; `peer` in the network namespace of a descriptor."""
    other = _link() + text(NAME, peer) + attribute(NAMESPACE, struct.pack("=i", namespace))
    information = nested(LINK_INFO, [text(KIND, "veth"), nested(DATA, [attribute(PEER, other)])])
    body = _link() + text(NAME, name) + attribute(MASTER, struct.pack("=I", bridge)) + information
    return message(NEW_LINK, REQUEST | ACK | CREATE | EXCLUSIVE, body)


def up(name: str) -> bytes:
    return message(NEW_LINK, REQUEST | ACK, _link(flags=UP, change=UP) + text(NAME, name))


def new_address(index: int, address: bytes, prefix: int) -> bytes:
    body = struct.pack("=BBBBI", socket.AF_INET, prefix, 0, 0, index) + attribute(1, address) + attribute(2, address)
    return message(NEW_ADDRESS, REQUEST | ACK | CREATE | EXCLUSIVE, body)


def default_route(index: int) -> bytes:
    """Everything that is nowhere else is a neighbour on that link."""
    route = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, MAIN_TABLE, STATIC, LINK_SCOPE, UNICAST, 0)
    return message(NEW_ROUTE, REQUEST | ACK | CREATE | EXCLUSIVE, route + attribute(4, struct.pack("=I", index)))


def _link(flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, 0, flags, change)


def _padded(length: int) -> int:
    return length + 3 & ~3
