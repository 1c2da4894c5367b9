"""The engine for machines with a container runtime: images of the user's own run in containers of it.

It is the process engine with another enclosure. The agent of an instance is the same process of this machine, in the
same directory; where its node names a `Runtime`, the program runs there (`instance/vessel.py`, `runner.py`). Images
that Clary knows as environments run as they do by the process engine.

A container goes with its runner. What a crash left is found by its name, when the instance is released, or by its
label, when an engine starts.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from clary.engines import locks
from clary.engines.containers.images import name_of
from clary.engines.containers.runtime import ContainerRuntime, container_name
from clary.engines.fork_server import FORK_SERVER
from clary.engines.networks import Reach
from clary.engines.process import ProcessEngine
from clary.instance.layout import Layout
from clary.instance.node import Node
from clary.instance.spec import InstanceSpec
from clary.instance.vessel import ADDRESS

log = logging.getLogger(__name__)

RUNNER = "clary.engines.containers.runner"
AGAIN = 5.0
"""Seconds until a container is removed again that could not be: its runtime was away."""


class ContainerEngine(ProcessEngine):
    pulls = True

    def __init__(self, runtime: ContainerRuntime, instances_dir: Path, layers_dir: Path, **options: Any) -> None:
        """`options` as of the process engine."""
        FORK_SERVER.preload(RUNNER)
        super().__init__(instances_dir, layers_dir, **options)
        self._runtime = runtime
        self._sweep()

    def _contains(self, gang: Sequence[InstanceSpec]) -> bool:
        return super()._contains(gang) and not any(spec.container for spec in gang)

    def _node(self, layout: Layout, spec: InstanceSpec, reach: Reach) -> Node:
        node = super()._node(layout, spec, reach)
        if spec.container:
            node.runtime = self._runtime.describe(RUNNER, absent=not self._runtime.has(name_of(spec.container)))
            # What the machine's sandbox allows does not matter to a container.
            node.refusal, node.notices = _refusal(spec, reach), self._machine.lacks(spec)
        return node

    def address(self, instance_id: str) -> str:
        """A server in a container has a port of this machine, which the runner tells once there is one."""
        try:
            return Path(self._known(instance_id)[ADDRESS]).read_text()
        except FileNotFoundError:
            return super().address(instance_id)

    def _clear(self, layout: Layout) -> None:
        node = Path(layout["node.json"])
        if node.exists() and Node.from_json(node.read_text()).runtime:
            self._remove(container_name(layout.id))

    def _sweep(self) -> None:
        """End the containers whose agents were lost while no engine was there to see it."""
        for name in self._runtime.containers(str(self._instances)):
            layout = self._layout(name.removeprefix(container_name("")))
            if not (os.path.exists(layout["agent.lock"]) and locks.is_held(layout["agent.lock"])):
                self._remove(name)

    def _remove(self, name: str) -> None:
        """Now, or once its runtime is there again. Where Clary ends before that, the next engine finds it."""
        try:
            self._runtime.remove(name)
        except Exception as error:
            log.warning("The container %s cannot be removed now: %s", name, error)
            again = threading.Timer(AGAIN, self._remove, [name])
            again.daemon = True
            again.start()


def _refusal(spec: InstanceSpec, reach: Reach) -> str:
    if spec.isolated and (spec.serves or len(reach.hosts) > 1):
        return (
            "ClientError: network isolation of servers and of more than one instance is not to be had in containers: "
            f"{spec.hostname} could not be reached. Images that Clary's registry holds have it by --engine process."
        )
    return ""
