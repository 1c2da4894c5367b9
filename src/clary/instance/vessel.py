"""A program in a container of the machine's runtime: to the agent, what `Surroundings` are of one in a sandbox.

The agent stages in, packs and reports as ever. In place of the program it runs the runner that its node names, which
creates the container, copies what it prints, ends as it ends, and leaves a `Verdict`. The runner is not of this room:
it needs the client of the runtime. It is forked from the agent, as the agent is from a process that has imported both.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module

from clary.files import write_atomically
from clary.instance.data.mounts import prepare
from clary.instance.errors import Refused, StopAsked
from clary.instance.layout import Layout
from clary.instance.node import Node, Runtime
from clary.instance.program import Command, Limits, run
from clary.instance.reasons import last_lines
from clary.instance.report import Report
from clary.instance.sandbox.cgroups import Group
from clary.instance.spec import InstanceSpec, Mount
from clary.instance.surroundings import SMALL_CHANNEL, is_kept
from clary.instance.wishes import Wishes

KILL = signal.SIGUSR1
"""What ends a runner together with its container; SIGKILL would leave the container."""
ADDRESS = "address"
"""The instance's file in which the runner says where a server listens: `host:port`."""
VERDICT = "verdict.json"
GRACE = 5.0
REASON_ROOM = 800


@dataclass(slots=True)
class Verdict:
    """What the runner knows of a program's end beyond its exit code."""

    out_of_memory: bool = False
    refusal: str = ""
    """Why the program could not be run, where that is not its own fault."""

    def write(self, layout: Layout) -> None:
        write_atomically(layout[VERDICT], json.dumps(asdict(self)))

    @classmethod
    def read(cls, layout: Layout) -> Verdict:
        try:
            with open(layout[VERDICT], encoding="utf-8") as file:
                return cls(**json.load(file))
        except FileNotFoundError:
            return cls()


class Vessel:
    overlays = False
    """The runtime mounts what is read-only, or what is the instance's own."""

    def __init__(self, runtime: Runtime, node: Node, layout: Layout, spec: InstanceSpec) -> None:
        self._runtime = runtime
        self._node = node
        self._layout = layout
        self._spec = spec
        self._protected: list[str] = []

    def pull(self, report: Report, wishes: Wishes) -> None:
        """Have the image on this machine. Raises `Refused` where it cannot be had."""
        if not self._runtime.absent:
            return
        report.enter("Pulling")
        ending = run(self._runner("pull"), report.log, wishes, Limits(grace=GRACE))
        if ending.cause:
            raise StopAsked
        if ending.exit_code:
            raise Refused(f"ClientError: {last_lines(ending.tail, REASON_ROOM)}")

    def links(self, directory: str, size: int) -> bool:
        """As `Surroundings.links`."""
        return size > SMALL_CHANNEL and not is_kept(directory, self._spec)

    def protect(self, directory: str) -> None:
        self._protected.append(directory)

    def mount(self, path: str, mount: Mount) -> str:
        """As `Surroundings.mount`; the runner mounts it."""
        prepare(self._layout, path, mount)
        return ""

    def group(self) -> Group:
        """The runtime limits the container."""
        wanted = {"cpu": "CPU", "memory": "memory"}
        refused = [word for name, word in wanted.items() if name not in self._runtime.limits]
        group = RuntimeGroup(self._layout)
        if refused:
            group.notice = f"No {' or '.join(refused)} limit here: the container runtime of this machine has none."
        return group

    def command(self, prepare: Callable[[], None]) -> Command:
        begun, said = os.pipe()
        command = self._runner("run", said)
        command.prepare, command.begun, command.handed = prepare, begun, [said]
        return command

    def _runner(self, verb: str, begun: int = -1) -> Command:
        def call() -> int:
            code: int = import_module(self._runtime.runner).main(verb, self._layout.root, self._protected, begun)
            return code

        environment = {**self._node.environment, **self._runtime.variables}
        return Command([self._runtime.runner], environment, call=call, kill=KILL)


class RuntimeGroup(Group):
    """Limits that the container runtime keeps, and tells of by the runner."""

    def __init__(self, layout: Layout) -> None:
        super().__init__()
        self._layout = layout

    def out_of_memory(self) -> bool:
        """Raises `Refused` where the runtime never ran the program."""
        verdict = Verdict.read(self._layout)
        if verdict.refusal:
            raise Refused(verdict.refusal)
        return verdict.out_of_memory
