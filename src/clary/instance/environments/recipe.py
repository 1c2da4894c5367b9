"""What the environment of a framework image is made of. Nothing is looked up here: `building` finds what can be had.

Standard library only: it travels in `spec.json`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Recipe:
    name: str
    """The image as users write it, without the registry: `sagemaker-scikit-learn:1.2-1`."""
    title: str
    """What `package` is called: `XGBoost`."""
    package: str
    """The distribution whose version the image is named for; empty for an image that is Python alone."""
    version: str
    """The release, or the series of releases (`1.2` is the newest 1.2.x), of `package`; empty is the newest of all.
    Where it cannot be had, the nearest is taken."""
    requirements: list[str]
    """What else is installed, as pip reads it."""
    pythons: list[str]
    """Versions of Python, the best one first: `3.11`."""
    sources: list[str] = field(default_factory=list)
    """Distributions that there are no wheels of, and that are built."""

    @property
    def wanted(self) -> str:
        """For people: `scikit-learn 1.2`."""
        return f"{self.title} {self.version}".rstrip()

    def matches(self, version: str) -> bool:
        """Whether that is what is wanted, and not only near it. What follows a `+` tells of the build."""
        return f"{version.partition('+')[0]}.".startswith(f"{self.version}." if self.version else "")

    def key(self, interpreters: Mapping[str, str]) -> str:
        """The name of the environment that this recipe gives on a machine with these interpreters (version → path).

        The image's own name does not count: tags that mean the same share one environment.
        """
        content = {**asdict(self), "name": "", "pythons": self.available(interpreters)}
        if not self.sources:
            del content["sources"]  # as before there were any, so that environments keep their names
        import hashlib

        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]

    def available(self, interpreters: Mapping[str, str]) -> list[str]:
        """Paths of the interpreters that may be used, the best one first: any of the machine's where it has none of
        those that are wanted."""
        wanted = [interpreters[version] for version in self.pythons if version in interpreters]
        return wanted or list(interpreters.values())[:1]
