"""What agents are forked from: a process that has imported all that they need, which takes most of their start.

    engine ── request and descriptors ──▶ fork server ── fork ──▶ agent (own session), or who makes networks for a gang
           ◀──────── the pid ────────────┘

It ends when the engine's side of the socket does, and no agent with it. A child of its is nobody's to wait for.
"""

from __future__ import annotations

import fcntl
import gc
import json
import os
import signal
import socket
import sys
from importlib import import_module
from typing import Any, NoReturn

# Relays and names not for itself: what an agent imports when it needs it is there already.
from clary.instance import agent, libc  # noqa: F401
from clary.instance.network import borders, names, namespaces, relay  # noqa: F401

PID_DIGITS = 10
LONGEST_REQUEST = 65536
FILES_AT_ONCE = 200
"""Descriptors in one message; the kernel takes 253."""


def main() -> None:
    """Arguments: where Clary's source lies, modules to import besides, the engine's socket."""
    _, _, *modules, channel_fd = sys.argv
    channel = socket.socket(fileno=int(channel_fd))
    for module in modules:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    # What the collector does not touch is not copied into each agent.
    gc.freeze()
    while True:
        request, files = receive(channel)
        if not request:
            return
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(request, files)
        if "node" in request:
            _write_down(pid, files)
        for fd in files:
            os.close(fd)
        channel.send(str(pid).encode())


def send(channel: socket.socket, request: dict[str, Any], files: list[int]) -> None:
    """Ask for an agent: `node` is the path of its `node.json`, and `files` are where it prints, its lock, and what else
    it holds, by the numbers that they have here. Or for the networks of `gang`, hostnames, which come over the socket
    that is the one file."""
    text = json.dumps({**request, "files": files}).encode()
    socket.send_fds(channel, [text], files[:FILES_AT_ONCE])
    for place in range(FILES_AT_ONCE, len(files), FILES_AT_ONCE):
        socket.send_fds(channel, [b"."], files[place : place + FILES_AT_ONCE])


def receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """What `send` sent; nothing where the other side is gone."""
    text, files, _, _ = socket.recv_fds(channel, LONGEST_REQUEST, FILES_AT_ONCE, socket.MSG_CMSG_CLOEXEC)
    request = json.loads(text) if text else {}
    while request and len(files) < len(request["files"]):
        more, further, _, _ = socket.recv_fds(channel, 1, FILES_AT_ONCE, socket.MSG_CMSG_CLOEXEC)
        if not more:
            return {}, []
        files += further
    return request, files


def _become(request: dict[str, Any], files: list[int]) -> NoReturn:
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        if "node" in request:
            _write_down(os.getpid(), files)
            _number(files, request["files"])
            errors, *held = request["files"]
            for standard in (1, 2):
                os.dup2(errors, standard)
            os.close(errors)
            agent.main(request["node"], *held)
        else:
            namespaces.answer(socket.socket(fileno=files[0]), request["gang"], outward=request["outward"])
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        os._exit(1)


def _write_down(pid: int, files: list[int]) -> None:
    """In the agent's lock. Both it and who forked it do, so that it is there when a start returns, and also where that
    one is killed right after. Of one length, so that it takes the place of another's whole."""
    _, lock, *_ = files
    os.pwrite(lock, f"{pid:<{PID_DIGITS}}".encode(), 0)


def _number(files: list[int], numbers: list[int]) -> None:
    """Give descriptors other numbers, none of which is another's for the time being."""
    above = max(numbers) + 1
    moved = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, above) for fd in files]
    for fd in files:
        os.close(fd)
    for fd, number in zip(moved, numbers, strict=True):
        os.dup2(fd, number, inheritable=False)
        os.close(fd)
