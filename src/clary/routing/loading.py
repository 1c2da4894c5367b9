"""What containers of many models did to have the models that were asked for, over a number of invocations.

The names and meanings are those of AWS's metrics of multi-model endpoints ("CloudWatch Metrics for Multi-Model Endpoint
Deployments"); each answer tells its own (`instance/models/cache.py`, `Figures`).
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from clary.routing.distribution import Distribution

WAITED, BROUGHT = "ModelLoadingWaitTime", "ModelDownloadingTime"
LOADED, UNLOADED = "ModelLoadingTime", "ModelUnloadingTime"


@dataclass(slots=True)
class Loading:
    invocations: int = 0
    hits: int = 0
    """Invocations whose model was loaded already."""
    models: Counter[int] = field(default_factory=Counter)
    """How often so many were loaded."""
    times: dict[str, Distribution] = field(default_factory=dict)

    def add(self, figures: dict[str, Any]) -> None:
        self.invocations += 1
        self.hits += figures["hit"]
        self.models[figures["count"]] += 1
        if not figures["hit"]:
            self._time(WAITED).add(figures["waited"])
        for name, seconds in ((BROUGHT, figures["brought"]), (LOADED, figures["loaded"])):
            if seconds:
                self._time(name).add(seconds)
        for seconds in figures["unloaded"]:
            self._time(UNLOADED).add(seconds)

    def merge(self, other: "Loading") -> None:
        self.invocations += other.invocations
        self.hits += other.hits
        self.models += other.models
        for name, distribution in other.times.items():
            self._time(name).merge(distribution)

    def _time(self, name: str) -> Distribution:
        return self.times.setdefault(name, Distribution())
