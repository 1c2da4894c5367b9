"""Who runs on this machine, and what of it they were promised: counted from an agent's start to its end, or until it
is released where its room outlasts it (`InstanceSpec.lasting`).

Found again after a restart: the lock of a live agent is held, and its pid stands in it.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clary.engines import locks
from clary.engines.answers import Resources
from clary.engines.ends import Ends
from clary.engines.gpus import Grant, give
from clary.instance.layout import Layout
from clary.instance.node import Node
from clary.instance.spec import InstanceSpec


@dataclass(slots=True)
class Running:
    promised: Resources
    grant: Grant
    lasts: bool = False
    """Whether it counts until it is let go."""
    heard: float = 0.0
    """Epoch seconds, when it last gave a hint."""


class Roll:
    """Safe to use from many threads."""

    def __init__(self, instances: Path, ended: Callable[[str, float], None]) -> None:
        """`ended` is called with an instance's id, and when it was last heard of, once its agent has ended."""
        self._instances = instances
        self._tell = ended
        self._running: dict[str, Running] = {}
        self._ends = Ends(self._end)
        self._giving = threading.Lock()
        self._recovering = threading.Lock()
        self._recovered = False

    def enter(self, spec: InstanceSpec, gpus: Sequence[int], *, oversubscribe: bool) -> Grant:
        """Count an instance that is about to be started; returns which of the machine's GPUs it has. Raises `NoRoom`
        where not enough are free. The room of the one that it comes after is its own from here on."""
        with self._giving:
            own = (spec.id, spec.after)
            held = [running.grant for each, running in list(self._running.items()) if each not in own]
            grant = give(spec.gpus, gpus, held, oversubscribe=oversubscribe)
            self._running[spec.id] = Running(Resources.of(spec), grant, bool(spec.lasting))
            self._running.pop(spec.after, None)
            return grant

    def counts(self, *instance_ids: str) -> bool:
        """Whether one of them has room."""
        return any(instance_id in self._running for instance_id in instance_ids)

    def let_go(self, instance_id: str) -> bool:
        """Count an instance no longer whose room outlasts it; False where that was so."""
        running = self._running.get(instance_id)
        if running is None or not running.lasts:
            return False
        del self._running[instance_id]
        return True

    def follow(self, layout: Layout) -> None:
        """The agent runs; who started it has written its pid down. It counts until it ends."""
        lock = layout["agent.lock"]
        self._ends.watch(layout.id, int(Path(lock).read_text() or 0), lambda: locks.is_held(lock))

    def strike(self, instance_ids: Iterable[str]) -> None:
        """These could not be started."""
        for instance_id in instance_ids:
            self._running.pop(instance_id, None)

    def hear(self, instance_id: str) -> None:
        running = self._running.get(instance_id)
        if running is not None:
            running.heard = time.time()

    def promised(self) -> Resources:
        return sum((running.promised for running in list(self._running.values())), Resources())

    def recover(self) -> None:
        """Once: find the agents that an earlier engine started."""
        with self._recovering:
            if self._recovered:
                return
            self._recovered = True
            for lock in self._instances.glob("*/agent.lock"):
                layout = Layout(str(lock.parent))
                # Another engine may be starting it, or letting it go.
                with contextlib.suppress(FileNotFoundError, ValueError):
                    self._find(layout, alive=was_started(layout) and locks.is_held(str(lock)))

    def _find(self, layout: Layout, *, alive: bool) -> None:
        spec = InstanceSpec.from_json(Path(layout["spec.json"]).read_text())
        if not alive and not spec.lasting and not os.path.isdir(layout["before"]):
            return
        node = Node.from_json(Path(layout["node.json"]).read_text())
        grant = Grant(node.gpus, min(spec.gpus, 1.0))
        self._running[layout.id] = Running(Resources.of(spec), grant, bool(spec.lasting))
        if alive:
            self.follow(layout)

    def _end(self, instance_id: str) -> None:
        running = self._running.get(instance_id)
        if running is not None and not running.lasts:
            del self._running[instance_id]
        self._tell(instance_id, running.heard if running else 0.0)


def was_started(layout: Layout) -> bool:
    """Whether an agent runs, or has run, for the instance."""
    lock = layout["agent.lock"]
    return os.path.exists(layout["status.json"]) or (os.path.exists(lock) and locks.is_held(lock))
