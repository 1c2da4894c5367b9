"""Across the border of an instance's own network: the processes beside its program that carry connections over it.

    inward    run/server.sock ─▶ the port that the program listens on           lives in the instance's network
    outward   doors: a loopback port of the instance ─▶ the same of the host    lives in the host's network; its
              all other TCP (`redirect`) ─▶ where it was going                  listeners are the instance's
              DNS on 127.0.0.1 ─▶ the host's name servers

They are children of the agent, with no more rights than the program, and end with it. A connection that leaves is
made anew from here, so that nothing of the host's own network has to change: no address, no route, no rule.
"""

from __future__ import annotations

import contextlib
import functools
import os
import struct
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from clary.instance.node import OWNER, Node
from clary.instance.processes import close_all_but, die_with_parent
from clary.instance.spec import InstanceSpec

if TYPE_CHECKING:
    import socket

ORIGINAL_DESTINATION = 80
"""SO_ORIGINAL_DST of linux/netfilter_ipv4.h."""
NO_HOSTS = (0, 127, *range(224, 256))
"""First bytes of addresses that are nobody's: this network, loopback, multicast and beyond."""
LINK_LOCAL = (169, 254)
"""In a cloud the machine's own identity is to be had there."""


def enter_network(node: Node, hostname: str) -> None:
    """Move the calling process into the instance's own network, where it has one."""
    if hostname in node.namespaces:
        from clary.instance import libc

        if OWNER in node.namespaces:
            libc.enter(node.namespaces[OWNER], libc.CLONE_NEWUSER)
        libc.enter(node.namespaces[hostname], libc.CLONE_NEWNET)


def start_inward(node: Node, spec: InstanceSpec, name: str, listener: int = -1) -> None:
    """Take connections for the program's port at the socket of this name in the instance's `run`, or at a `listener`
    that is the agent's no more when this returns."""
    _start(node, lambda ready: _inward(node, spec, name, listener, ready), keep={listener})
    if listener >= 0:
        os.close(listener)


def start_outward(node: Node, spec: InstanceSpec) -> None:
    """Let the next program of the instance reach what it may, where its network is its own."""
    if node.outward and spec.hostname in node.namespaces:
        _start(node, lambda ready: _outward(node, spec, ready))


def _start(node: Node, work: Callable[[Callable[[], None]], None], keep: Iterable[int] = ()) -> None:
    """Returns once `work`, which does not end, in a process of its own has called what it is given."""
    said, say = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            close_all_but({0, 1, 2, say, *node.namespaces.values(), *keep})

            def ready() -> None:
                _give_up_rights(node)
                os.write(say, b".")
                os.close(say)

            work(ready)
        except BaseException as error:
            with contextlib.suppress(OSError):
                os.write(say, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(1)
    os.close(say)
    words = os.read(said, 1024)
    os.close(said)
    if words != b".":
        raise OSError(f"its own network cannot be used: {words.decode(errors='replace')}")


def _give_up_rights(node: Node) -> None:
    if node.uid:
        os.setgroups([])
        os.setresgid(node.uid, node.uid, node.uid)
        os.setresuid(node.uid, node.uid, node.uid)
    # Last: a change of user takes it back.
    die_with_parent()


def _inward(node: Node, spec: InstanceSpec, name: str, bound: int, ready: Callable[[], None]) -> None:
    import socket

    from clary.instance.network.relay import BACKLOG, Relay, connecting

    if bound >= 0:
        listener = socket.socket(fileno=bound)
    else:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(f"{node.run}/{name}")
    listener.listen(BACKLOG)
    enter_network(node, spec.hostname)
    relay = Relay()
    relay.add(listener, lambda _near: connecting(("127.0.0.1", spec.port)))
    ready()
    relay.run()


def _outward(node: Node, spec: InstanceSpec, ready: Callable[[], None]) -> None:
    from clary.instance.network.names import Names
    from clary.instance.network.namespaces import LOOPBACK, OUTWARD_PORT
    from clary.instance.network.relay import Relay, connecting

    relay = Relay()
    doors = {(host, int(port)) for host, _, port in (door.rpartition(":") for door in node.doors)}
    inside = sorted(door for door in doors if door[0].startswith(f"{LOOPBACK[0]}."))
    beyond, lookups, queries, *listeners = _listen_within(node, spec, inside, ("127.0.0.1", OUTWARD_PORT))
    relay.add(beyond, lambda near: connecting(_permitted(_destination(near), doors)))
    names = Names(relay, queries)
    relay.add(lookups, lambda _near: connecting((names.servers()[0], 53)))
    for door, listener in zip(inside, listeners, strict=True):
        relay.add(listener, functools.partial(_through, door))
    ready()
    relay.run()


def _through(door: tuple[str, int], _near: socket.socket) -> socket.socket:
    from clary.instance.network.relay import connecting

    return connecting(door)


def _listen_within(
    node: Node, spec: InstanceSpec, doors: list[tuple[str, int]], beyond: tuple[str, int]
) -> list[socket.socket]:
    """Sockets of the instance's network: for what goes beyond, for names over TCP and UDP, and for each door. Made by
    a process that goes there, since an ordinary user's could not come back."""
    import socket

    from clary.instance.network.relay import BACKLOG

    names = ("127.0.0.1", 53)
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    pid = os.fork()
    if pid == 0:
        try:
            enter_network(node, spec.hostname)
            for address in (beyond, names, None, *doors):
                if address:
                    sock = socket.create_server(address, backlog=BACKLOG)
                else:
                    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                    sock.bind(names)
                socket.send_fds(far, [b"."], [sock.fileno()])
            os._exit(0)
        finally:
            os._exit(1)
    far.close()
    found = []
    for _ in range(3 + len(doors)):
        _, fds, _, _ = socket.recv_fds(near, 1, 1)
        found += [socket.socket(fileno=fd) for fd in fds]
    near.close()
    if os.waitpid(pid, 0)[1]:
        raise OSError("no sockets can be had in it")
    return found


def _destination(near: socket.socket) -> tuple[str, int]:
    """Where the program wanted to go, before the namespace's rule turned it here."""
    port, *address = struct.unpack("!2xH4B8x", near.getsockopt(0, ORIGINAL_DESTINATION, 16))
    return ".".join(map(str, address)), port


def _permitted(address: tuple[str, int], doors: set[tuple[str, int]]) -> tuple[str, int]:
    """The address; PermissionError for one of this machine's own, except its doors."""
    first, second, *_ = map(int, address[0].split("."))
    if address not in doors and (first in NO_HOSTS or (first, second) == LINK_LOCAL or _is_own(address)):
        raise PermissionError(f"{address[0]} is this machine's own")
    return address


def _is_own(address: tuple[str, int]) -> bool:
    """What a machine sends to an address of its own comes from that address."""
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(address)
        return bool(probe.getsockname()[0] == address[0])
