"""How much of a sandbox this machine allows, found out once by starting one: a program that the engine runs, since it
forks and the engine has threads.

    python -I -S -c … <bwrap> <directory> <uid>   →   {"containment": …, "refusal": …}
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import sys

from clary.instance.layout import VIEW, Layout
from clary.instance.node import Containment, Node
from clary.instance.processes import exit_code, send, spawn
from clary.instance.sandbox.bubblewrap import Mounts, enclose, nobody_of
from clary.instance.spec import InstanceSpec

PROBE_SECONDS = 10
BEST_FIRST: tuple[Containment, ...] = ("overlay", "memory-overlay", "plain")
CHANGEABLE = "/opt/probe"


def main() -> None:
    bwrap, directory, uid = sys.argv[-3:]
    containment, refusal = probe(bwrap, directory, int(uid))
    print(json.dumps({"containment": containment, "refusal": refusal}))


def probe(bwrap: str, directory: str, uid: int) -> tuple[Containment, str]:
    """The best containment for instances below `directory`, and bubblewrap's word on why it is not better.

    `directory` matters: an overlay cannot keep its changes on every file system, and not every one lets a `uid` of
    its own have root's files.
    """
    refusal = ""
    for containment in BEST_FIRST:
        code, words = _try(Node(directory, layers="", containment=containment, bwrap=bwrap, uid=uid))
        if code == 0:
            return containment, refusal
        refusal = words or f"{bwrap} ended with {code}"
    return "none", refusal


def _try(node: Node) -> tuple[int, str]:
    layout = Layout(node.instance)
    layout.create()
    mounts = Mounts(layout, node.containment, changeable={CHANGEABLE: layout["outputs"]})
    places = [VIEW] if node.containment == "plain" else [VIEW, CHANGEABLE]
    writes = " && ".join(f": > {place}/written" for place in places)
    try:
        argv, enter = enclose(node, mounts, nobody_of(node), spec=InstanceSpec("probe", []), workdir="/")
        child = spawn([*argv, "/bin/sh", "-c", writes], dict(os.environ), "/", enter)
    except OSError as error:
        return 1, str(error)
    ended, _, _ = select.select([child.pidfd], [], [], PROBE_SECONDS)
    if not ended:
        send(child.pid, signal.SIGKILL)
    code = exit_code(os.waitpid(child.pid, 0)[1])
    words = b""
    with contextlib.suppress(BlockingIOError):
        words = os.read(child.stderr, 4096)
    return (code, words.decode(errors="replace").strip()) if ended else (1, f"no sandbox within {PROBE_SECONDS} s")
