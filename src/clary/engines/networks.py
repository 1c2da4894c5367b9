"""Which network a gang gets: the machine's own, or one for each instance (`instance/network/namespaces.py`).

    auto   gangs, and servers that listen on a port, have networks of their own where the machine allows it
    own    every instance has
    host   gangs do without, but where they are isolated

The namespaces are held by their descriptors, all of which every agent of the gang gets, and end with the last of them.
"""

from __future__ import annotations

import functools
import os
import re
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from clary.engines import locks
from clary.engines.claims import Claims
from clary.engines.fork_server import FORK_SERVER
from clary.engines.hosts import hosts_of
from clary.instance.layout import Layout
from clary.instance.node import Node
from clary.instance.spec import InstanceSpec

NetworkChoice = Literal["auto", "own", "host"]

LONGEST_ANSWER = 1024
HOST_AND_PORT = re.compile(r"\b(https?)://(?:[^/@\s]*@)?(localhost|\d+\.\d+\.\d+\.\d+)(?::(\d+))?(?=[/\s,]|$)")
ACROSS = "ClientError: EnableNetworkIsolation cannot be kept by a job of several instances on several machines."
PORTS = {"http": "80", "https": "443"}


@dataclass(frozen=True, slots=True)
class Reach:
    """How the instances of one gang reach each other, and what else they reach."""

    hosts: dict[str, str] = field(default_factory=dict)
    """As `Node.hosts`; so are the next two."""
    namespaces: dict[str, int] = field(default_factory=dict)
    outward: bool = False
    held: list[int] = field(default_factory=list)
    """Descriptors that the agents are to hold."""
    notice: str = ""
    refusal: str = ""


@contextmanager
def reach_of(
    gang: Sequence[InstanceSpec], layouts: Sequence[Layout], claims: Claims, *, choice: NetworkChoice, contained: bool
) -> Iterator[Reach]:
    if gang[0].hosts:
        yield Reach(gang[0].hosts, refusal=ACROSS if gang[0].isolated else "")
        return
    known = [node for node in map(_known, layouts) if node]
    own = contained and _wants_own(gang, choice) and all(node.namespaces or not node.hosts for node in known)
    with ExitStack() as stack:
        notice = refusal = ""
        if own:
            try:
                yield _own_networks(gang, layouts, stack)
                return
            except NoNetworkError as error:
                if choice == "own" or _needs_own(gang):
                    refusal = f"InternalServerError: an instance cannot have a network of its own here: {error}"
                else:
                    notice = f"The network is the machine's, as one of the instance's own cannot be had here: {error}."
        hosts, held = stack.enter_context(hosts_of(gang, [node.hosts for node in known], claims))
        yield Reach(hosts, held=held, notice=notice, refusal=refusal)


class NoNetworkError(Exception):
    """The machine allows no network of its own; the argument is what it said."""


def doors(urls: Iterable[str], texts: Iterable[str]) -> list[str]:
    """`host:port` of the `urls`, and of those URLs in `texts` that may be this machine's."""
    texts = [*texts, *(_by_address(url) for url in urls if url)]
    found = {
        f"{'127.0.0.1' if host == 'localhost' else host}:{port or PORTS[scheme]}"
        for text in texts
        for scheme, host, port in HOST_AND_PORT.findall(text)
    }
    return sorted(found)


@functools.lru_cache(maxsize=8)
def _by_address(url: str) -> str:
    """With the address in place of a name: a machine may know its own as one of its loopback."""
    parts = urlsplit(url)
    try:
        address = socket.gethostbyname(parts.hostname or "")
    except OSError:
        return url
    return f"{parts.scheme}://{address}:{parts.port or PORTS[parts.scheme]}"


def _wants_own(gang: Sequence[InstanceSpec], choice: NetworkChoice) -> bool:
    if any(spec.hosts for spec in gang):
        # Its gang is on other machines, which reach it by this one's address.
        return False
    if choice == "own":
        # One that is isolated and alone has its own anyhow, with nobody in it.
        return len(gang) > 1 or not gang[0].isolated or bool(gang[0].port)
    return _needs_own(gang) or any(spec.port for spec in gang) or (choice == "auto" and len(gang) > 1)


def _needs_own(gang: Sequence[InstanceSpec]) -> bool:
    """Isolated from all but each other, or from all but the platform's calls."""
    return any(spec.isolated and (len(gang) > 1 or spec.port) for spec in gang)


def _own_networks(gang: Sequence[InstanceSpec], layouts: Sequence[Layout], stack: ExitStack) -> Reach:
    from clary.instance.network.namespaces import addresses

    outward = not any(spec.isolated for spec in gang)
    names = [spec.hostname for spec in gang]
    held = next(filter(None, map(_open_of, layouts)), None) or build(names, outward=outward)
    for fd in held.values():
        stack.callback(os.close, fd)
    return Reach(addresses(names), held, outward, list(held.values()))


def _open_of(layout: Layout) -> dict[str, int]:
    """The namespaces that a living member of the gang holds."""
    node = _known(layout)
    if not node or not node.namespaces or not locks.is_held(layout["agent.lock"]):
        return {}
    pid = Path(layout["agent.lock"]).read_text().rstrip()
    with ExitStack() as opened:
        found = {}
        for name, fd in node.namespaces.items():
            try:
                found[name] = os.open(f"/proc/{pid}/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            except OSError:
                # It has ended by now.
                return {}
            opened.callback(os.close, found[name])
        opened.pop_all()
        return found


def build(names: Sequence[str], *, outward: bool) -> dict[str, int]:
    """As `instance.networks.build`, in another process."""
    found: dict[str, int] = {}
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with near:
        with far:
            FORK_SERVER.make_networks(list(names), far.fileno(), outward=outward)
        while True:
            words, fds, _, _ = socket.recv_fds(near, LONGEST_ANSWER, 1, socket.MSG_CMSG_CLOEXEC)
            if not fds:
                break
            found[words.decode()] = fds[0]
    if words or not found.keys() >= set(names):
        for fd in found.values():
            os.close(fd)
        raise NoNetworkError(words.decode() or "it ended before it was made")
    return found


def _known(layout: Layout) -> Node | None:
    """What a member of the gang was told that was started before."""
    try:
        with open(layout["node.json"], encoding="utf-8") as file:
            return Node.from_json(file.read())
    except FileNotFoundError:
        return None
