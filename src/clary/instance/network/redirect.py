"""The rule of a network namespace that sends every connection which leaves it to a port of its own loopback, where
`outward` takes it further. The rule is the namespace's and ends with it: those of the machine are not touched.

    nft add rule ip clary out ip daddr != 127.0.0.0/8 ip daddr != 198.19.0.0/16 meta l4proto tcp redirect to :1

in the kernel's own words (linux/netfilter/nf_tables.h), so that nft need not be installed.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence

from clary.instance.network.netlink import (
    ACK,
    APPEND,
    CREATE,
    NETFILTER,
    REQUEST,
    Netlink,
    attribute,
    message,
    nested,
    text,
)

NFTABLES = 10
BEGIN, END = 16, 17
NEW_TABLE, NEW_CHAIN, NEW_RULE = 0, 3, 6
LOCAL_OUT, BEFORE_FILTERS = 3, -100
DESTINATION_AT = 16
"""Of an IPv4 header."""
REGISTER, NETWORK_HEADER, EQUAL, UNEQUAL, PROTOCOL, SPECIFIED_PORT = 1, 1, 0, 1, 16, 2
TABLE, CHAIN = "clary", "out"


def redirect(kept: Sequence[bytes], port: int) -> None:
    """In this process's network namespace: TCP to addresses that begin with none of `kept` goes to `port` instead."""
    hook = nested(4, [_number(1, LOCAL_OUT), attribute(2, struct.pack("!i", BEFORE_FILTERS))])
    chain = [text(1, TABLE), text(3, CHAIN), hook, text(7, "nat")]
    steps = [step for prefix in kept for step in _unless(prefix)]
    steps += [_expression("meta", [_number(1, REGISTER), _number(2, PROTOCOL)])]
    steps += [_compare(EQUAL, bytes([socket.IPPROTO_TCP]))]
    steps += [_expression("immediate", [_number(1, REGISTER), nested(2, [attribute(1, struct.pack("!H", port))])])]
    steps += [_expression("redir", [_number(1, REGISTER), _number(2, REGISTER), _number(3, SPECIFIED_PORT)])]
    netlink = Netlink(NETFILTER)
    try:
        netlink.ask(
            _limit(BEGIN),
            _request(NEW_TABLE, CREATE, [text(1, TABLE)]),
            _request(NEW_CHAIN, CREATE, chain),
            _request(NEW_RULE, CREATE | APPEND, [text(1, TABLE), text(2, CHAIN), nested(4, steps)]),
            _limit(END),
            answers=3,
        )
    finally:
        netlink.close()


def _unless(prefix: bytes) -> list[bytes]:
    where = [(1, REGISTER), (2, NETWORK_HEADER), (3, DESTINATION_AT), (4, len(prefix))]
    return [_expression("payload", [_number(*pair) for pair in where]), _compare(UNEQUAL, prefix)]


def _compare(how: int, value: bytes) -> bytes:
    return _expression("cmp", [_number(1, REGISTER), _number(2, how), nested(3, [attribute(1, value)])])


def _expression(name: str, parts: list[bytes]) -> bytes:
    return nested(1, [text(1, name), nested(2, parts)])


def _number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("!I", value))


def _request(kind: int, flags: int, parts: list[bytes]) -> bytes:
    return message(
        NFTABLES << 8 | kind, REQUEST | ACK | flags, struct.pack("!BBH", socket.AF_INET, 0, 0) + b"".join(parts)
    )


def _limit(kind: int) -> bytes:
    """The begin or the end of a batch, which is done as a whole or not at all."""
    return message(kind, REQUEST, struct.pack("!BBH", socket.AF_UNSPEC, 0, NFTABLES))
