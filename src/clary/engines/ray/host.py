"""One instance on a node of a Ray cluster: an actor that hosts a process engine of its own there.

    <temporary directory>/clary-hosts-<uid>/<instance id>/
        alive                 locked by the guard for as long as it lives
        instances/ layers/    of the process engine: within, all is as on one machine

An actor may be killed at any moment, and the agent and its program are no children of it. So each has a *guard*, a
small process that waits for the actor's end, kills the instance and deletes what it left. Layers of requirements and
environments of images are the node's, shared by all its instances.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

GUARD = (
    "import os, sys\n"
    "if os.fork(): os._exit(0)\n"
    "sys.path.insert(0, sys.argv[1])\n"
    "from clary.engines.ray.guard import main\n"
    "main(sys.argv[2])\n"
)
PATIENCE = 20.0
"""Seconds that a question for changes waits for one."""
PAUSE = 0.05


class WrongVersion(Exception):
    """The node has another Clary than the platform."""


class Host:
    def __init__(self, instance_id: str, version: str, options: Mapping[str, Any]) -> None:
        """`options` are keyword arguments of `ProcessEngine`. Raises `WrongVersion`."""
        import clary
        from clary.engines.process import ProcessEngine

        self._node = node_address()
        if version != clary.__version__:
            raise WrongVersion(f"{self._node} has Clary {clary.__version__}, and the platform is {version}")
        self._id = instance_id
        self._endpoint = ""
        base = hosts_directory()
        root = base / instance_id
        self._guard = start_guard(root)
        self._engine = ProcessEngine(
            root / "instances",
            base / "layers",
            environments_dir=environments_directory(),
            bind=self._node,
            urls=lambda: [self._endpoint],
            gpus=own_gpus(),
            **options,
        )
        self._changes = 0
        self._changed = threading.Condition()
        self._engine.on_change(self._note)

    def node(self) -> str:
        """The address of the node."""
        return self._node

    def start(self, spec: str) -> None:
        """`spec` is an `InstanceSpec`, as JSON."""
        from clary.instance.spec import InstanceSpec

        told = InstanceSpec.from_json(spec)
        self._endpoint = told.environment.get("AWS_ENDPOINT_URL", "")
        self._engine.start([told])

    def poll(self) -> str:
        """The `InstanceStatus`, as JSON."""
        return self._engine.poll(self._id).to_json()

    def stop(self) -> None:
        self._engine.stop(self._id)

    def logs(self, offset: int) -> tuple[list[tuple[float, str]], int]:
        lines, reached = self._engine.logs(self._id, offset)
        return [(line.at, line.text) for line in lines], reached

    def changes(self, seen: int) -> int:
        """How often the instance changed, once that is more than `seen`, or after a while."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            self._changed.wait_for(lambda: self._changes != seen, deadline - time.monotonic())
        # What comes in a burst is one piece of news.
        time.sleep(PAUSE)
        return self._changes

    def _note(self, _: str) -> None:
        with self._changed:
            self._changes += 1
            self._changed.notify_all()


def node_address() -> str:
    import ray

    return str(ray.util.get_node_ip_address())


def own_gpus() -> list[int]:
    """Minor numbers of those that Ray gave to this actor and to no other; Ray counts as CUDA does."""
    import ray

    from clary.engines.gpus import machine_gpus

    there = machine_gpus()
    numbers = [int(number) for number in ray.get_gpu_ids()]
    return [there[number] if number < len(there) else number for number in numbers]


def hosts_directory() -> Path:
    directory = Path(tempfile.gettempdir()) / f"clary-hosts-{os.geteuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    if directory.is_symlink() or directory.stat().st_uid != os.geteuid():
        raise PermissionError(f"{directory} is not Clary's own directory; remove it.")
    return directory


def environments_directory() -> Path:
    """Where `clary images pull` on this node puts them: `Settings.environments`, of which a node has no more."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("CLARY_ENVIRONMENTS") or cache / "clary" / "environments")


def start_guard(root: Path) -> int:
    """Returns the descriptor whose end, with this process, the guard waits for; it holds its lock by now."""
    import clary

    root.mkdir(mode=0o700, exist_ok=True)
    source = str(Path(clary.__file__).parent.parent)
    theirs, ours = os.pipe()
    heard, said = os.pipe()
    with open(root / "guard.err", "ab") as errors:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", GUARD, source, str(root)],
            stdin=theirs,
            stdout=said,
            stderr=errors,
            start_new_session=True,
            check=True,
        )
    os.close(theirs)
    os.close(said)
    with open(heard, "rb") as ready:
        ready.read()
    return ours
