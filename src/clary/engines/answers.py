"""What an engine answers with."""

from __future__ import annotations

from dataclasses import dataclass

from clary.instance.spec import InstanceSpec


class EngineAway(Exception):
    """What runs the instances does not answer now; the same may go well later. The message says who and why."""


ROUNDING = 1e-9
"""Shares of GPUs and vCPUs are added up."""


@dataclass(frozen=True, slots=True)
class LogLine:
    at: float
    """Epoch seconds, when the program printed it."""
    text: str


@dataclass(frozen=True, slots=True)
class Resources:
    vcpus: float = 0.0
    memory: int = 0
    """Bytes."""
    gpus: float = 0.0

    @classmethod
    def of(cls, spec: InstanceSpec) -> Resources:
        """What an instance is promised."""
        return cls() if spec.lodges else cls(spec.vcpus, spec.memory, spec.gpus)

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.vcpus + other.vcpus, self.memory + other.memory, self.gpus + other.gpus)

    def __sub__(self, other: Resources) -> Resources:
        return Resources(self.vcpus - other.vcpus, self.memory - other.memory, self.gpus - other.gpus)

    def fits(self, room: Resources) -> bool:
        left = room - self
        return left.vcpus >= -ROUNDING and left.memory >= 0 and left.gpus >= -ROUNDING


@dataclass(frozen=True, slots=True)
class Place:
    """A machine that instances run on."""

    name: str
    total: Resources
    taken: Resources = Resources()
    """What its instances are promised: more than there is where the engine oversubscribes."""
