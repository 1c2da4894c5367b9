"""The instances that train one model together, each on its own rows."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Team:
    hosts: Sequence[str] = ("algo-1",)
    host: str = "algo-1"

    @property
    def size(self) -> int:
        return len(self.hosts)

    @property
    def leads(self) -> bool:
        """Whether this instance writes the model and tells the scores."""
        return self.host == self.hosts[0]
