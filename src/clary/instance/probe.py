"""How much of a sandbox this machine allows, found out once by starting one. Asked by the engine, not by the agent."""

import subprocess

from clary.instance.layout import Layout
from clary.instance.node import Containment, Node
from clary.instance.sandbox import Mounts, arguments
from clary.instance.spec import InstanceSpec

PROBE_SECONDS = 10
BEST_FIRST: tuple[Containment, ...] = ("overlay", "memory-overlay", "plain")


def probe(bwrap: str, directory: str) -> tuple[Containment, str]:
    """The best containment for instances below `directory`, and bubblewrap's word on why it is not better.

    `directory` matters: an overlay cannot keep its changes on every file system.
    """
    refusal = ""
    for containment in BEST_FIRST:
        try:
            ended = subprocess.run(
                _trial(bwrap, directory, containment), capture_output=True, text=True, timeout=PROBE_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return "none", str(error)
        if ended.returncode == 0:
            return containment, refusal
        refusal = ended.stderr.strip() or f"{bwrap} ended with {ended.returncode}"
    return "none", refusal


def _trial(bwrap: str, directory: str, containment: Containment) -> list[str]:
    layout = Layout(directory)
    layout.create()
    mounts = Mounts(layout, containment, changeable={"/opt/probe": layout["outputs"]})
    node = Node(layout.root, layers="", bwrap=bwrap)
    return [*arguments(node, mounts, spec=InstanceSpec("probe", []), workdir="/"), "/bin/sh", "-c", ":"]
