"""The contract of an engine: where instances run.

An engine starts the instance agent with a spec and says what became of it. It finds again all that it knows: after the
platform was killed, a new engine over the same directory answers for every instance of the old one. Methods may block
and may be called by many threads at once. Unknown ids raise `KeyError`.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from clary.engines.answers import LogLine, Place
from clary.instance.spec import InstanceSpec, InstanceStatus


class Engine(Protocol):
    shares_disk: bool
    pulls: bool
    """Whether instances use files of this machine, not URLs alone; whether it has images of other registries pulled."""

    def start(self, gang: Sequence[InstanceSpec]) -> None:
        """Start the instances of one gang, all or none, once there is room; each finds the others by their `hostname`.
        Does nothing for those that were started before, so that a gang that a crash cut in half is made whole."""
        ...

    def poll(self, instance_id: str) -> InstanceStatus:
        """Where the instance stands. An agent that died without a word reads as `Failed`, and `lost`."""
        ...

    def stop(self, instance_id: str) -> None:
        """SIGTERM to the program, SIGKILL after `spec.grace` seconds. Returns at once."""
        ...

    def logs(self, instance_id: str, offset: int) -> tuple[Iterable[LogLine], int]:
        """Complete lines printed since `offset` (0 at first; at most 1 MiB), and the offset for the next call."""
        ...

    def address(self, instance_id: str) -> str:
        """Where the server of an instance that is `Running` listens: `unix:/path` or `host:port`."""
        ...

    def output(self, instance_id: str, name: str) -> Path | None:
        """The file or directory that an output became, once the instance is done; None where there is none."""
        ...

    def release(self, instance_id: str) -> None:
        """Forget the instance and delete what it left; kills it where it still runs."""
        ...

    def places(self) -> Sequence[Place]:
        """What there is, and what its instances are promised of it."""
        ...

    def instances(self) -> Iterable[str]:
        """The ids of all instances that were started and not released."""
        ...

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call `callback(instance_id)`, from any thread, soon after it changed phase, printed or was lost; a hint."""
