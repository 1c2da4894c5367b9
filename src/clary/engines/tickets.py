"""Gangs that wait in line, as they lie on the disk: one file each, named by its place.

    <line>/<number>   {"since": …, "wants": {id: [vcpus, memory, gpus]}, "outcome": "", …}
                      a spec
                      a spec …

A line is taken up by reading the heads alone: a spec may name a hundred thousand files. What left the line without
having run keeps its head, until its instances are released.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clary.engines.answers import Resources
from clary.files import write_atomically
from clary.instance.spec import InstanceSpec, InstanceStatus, Outcome

DIGITS = 20


@dataclass(slots=True)
class Ticket:
    path: Path
    since: float
    """Epoch seconds."""
    wants: dict[str, Resources] = field(default_factory=dict)
    """By the ids of the gang's instances, in their order; without those that were released."""
    outcome: Outcome = ""
    """Set once it left the line without having run."""
    reason: str = ""
    ended: float = 0.0

    def status(self) -> InstanceStatus:
        if not self.outcome:
            return InstanceStatus("Pending", {"Pending": self.since})
        times = {"Pending": self.since, "Done": self.ended}
        return InstanceStatus("Done", times, self.outcome, reason=self.reason)

    def write(self, gang: Sequence[InstanceSpec] = ()) -> None:
        """Durable: the order of those that wait outlives a power cut."""
        wants = {each: [want.vcpus, want.memory, want.gpus] for each, want in self.wants.items()}
        head = {"since": self.since, "wants": wants, "outcome": self.outcome, "reason": self.reason}
        lines = [json.dumps({**head, "ended": self.ended}), *(spec.to_json() for spec in gang)]
        write_atomically(str(self.path), "\n".join(lines), durable=True)

    def gang(self) -> list[InstanceSpec] | None:
        """None where the ticket is gone: another engine over the same directory started its gang."""
        try:
            with self.path.open(encoding="utf-8") as file:
                file.readline()
                return [InstanceSpec.from_json(line) for line in file]
        except FileNotFoundError:
            return None

    def remove(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)


def read_tickets(directory: Path) -> Iterator[Ticket]:
    """In the order of the line."""
    for path in sorted(directory.glob("[0-9]" * DIGITS)):
        try:
            with path.open(encoding="utf-8") as file:
                head: dict[str, Any] = json.loads(file.readline())
        except FileNotFoundError:
            # Another engine over the same directory was just now done with it.
            continue
        head["wants"] = {each: Resources(*want) for each, want in head["wants"].items()}
        yield Ticket(path, **head)
