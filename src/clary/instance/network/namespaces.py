"""Networks of the instances' own: a network namespace for each, joined by a switch that is nobody's.

    algo-1: eth0 198.19.0.1 ──┐
    algo-2: eth0 198.19.0.2 ──┼── bridge, in a namespace of its own
    algo-3: eth0 198.19.0.3 ──┘

Nothing of it is in the machine's own network, and nothing has a name outside: a namespace lives for as long as a
process is in it or has it open, and takes its links, addresses and rules along. Every gang uses the same addresses.
A process of the fork server's makes them, since making them changes who does it.

Where Clary is an ordinary user the namespaces belong to a user namespace of its own, in which it may do all this.
"""

from __future__ import annotations

import contextlib
import os
import socket

from clary.instance import libc
from clary.instance.network.netlink import ROUTE, Netlink, default_route, new_address, new_link, new_pair, up
from clary.instance.network.redirect import redirect
from clary.instance.node import OWN_INTERFACE, OWNER, SWITCH

NETWORK = bytes([198, 19])
"""Of the range that RFC 2544 sets aside for tests, the half that no common software uses."""
LOOPBACK = bytes([127])
OUTWARD_PORT = 1
"""Of each instance's loopback: one that no program wants."""
BRIDGE = "switch"


def answer(channel: socket.socket, names: list[str], *, outward: bool) -> None:
    """Send what `build` makes, name by name with its descriptor; or without one, what this machine said."""
    try:
        found = build(names, outward=outward)
    except OSError as error:
        channel.send(str(error).encode())
        return
    for name, namespace in found.items():
        socket.send_fds(channel, [name.encode()], [namespace])


def addresses(names: list[str]) -> dict[str, str]:
    """Name → address, by the place in the gang."""
    return {name: socket.inet_ntoa(_address(place)) for place, name in enumerate(names)}


def build(names: list[str], *, outward: bool) -> dict[str, int]:
    """Hostname → descriptor of its network namespace, with those of `SWITCH` and `OWNER`. Leaves this process in
    one of them. With `outward`, connections to elsewhere come to `OUTWARD_PORT`."""
    found: dict[str, int] = {}
    try:
        libc.unshare(libc.CLONE_NEWNET)
    except PermissionError:
        found[OWNER] = _own_users()
        libc.unshare(libc.CLONE_NEWNET)
    found[SWITCH] = _current("net")
    switch = Netlink(ROUTE)
    switch.ask(new_link("bridge", BRIDGE), up(BRIDGE))
    bridge = socket.if_nametoindex(BRIDGE)
    for place, name in enumerate(names):
        libc.unshare(libc.CLONE_NEWNET)
        found[name] = _current("net")
        port = f"port{place + 1}"
        switch.ask(new_pair(port, bridge, OWN_INTERFACE, found[name]))
        switch.ask(up(port))
        _furnish(_address(place), outward=outward)
    return found


def _furnish(address: bytes, *, outward: bool) -> None:
    """Make this process's network namespace, which has an end of a cable, an instance's."""
    netlink = Netlink(ROUTE)
    netlink.ask(up("lo"), up(OWN_INTERFACE))
    index = socket.if_nametoindex(OWN_INTERFACE)
    netlink.ask(new_address(index, address, 8 * len(NETWORK)))
    # As in containers: nobody else is there whom it could be kept from.
    with contextlib.suppress(OSError), open("/proc/sys/net/ipv4/ip_unprivileged_port_start", "w") as file:
        file.write("0")
    if outward:
        netlink.ask(default_route(index))
        redirect([LOOPBACK, NETWORK], OUTWARD_PORT)
    netlink.close()


def _address(place: int) -> bytes:
    return NETWORK + (place + 1).to_bytes(2, "big")


def _own_users() -> int:
    """Enter a user namespace in which this user has all rights, and no other exists."""
    uid, gid = os.geteuid(), os.getegid()
    libc.unshare(libc.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    return _current("user")


def _current(kind: str) -> int:
    return os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC)
