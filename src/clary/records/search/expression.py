"""What a search asks of a record, as data, and whether a record's attributes fulfil it.

Each test is of the values at a path; one value that passes is enough. `clauses` says the same in SQL.
"""

from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from clary.records.search.attributes import Attribute

Held = Literal["texts", "numbers", "both"]
"""Where values of a path are kept."""


class View:
    """The attributes of one record, or of one element of a list in it."""

    def __init__(self, attributes: Iterable[Attribute]) -> None:
        self.attributes = list(attributes)
        self._by_path: dict[str, list[str | float]] | None = None

    def values(self, path: str) -> list[str | float]:
        """At the path; below it where it ends in a dot."""
        if path.endswith("."):
            return [found.value for found in self.attributes if found.path.startswith(path)]
        if self._by_path is None:
            self._by_path = defaultdict(list)
            for found in self.attributes:
                self._by_path[found.path].append(found.value)
        return self._by_path.get(path, [])

    def elements(self, path: str, depth: int) -> list["View"]:
        """The elements of the lists that lie `depth` deep at the path, each by itself."""
        groups: dict[tuple[int, ...], list[Attribute]] = defaultdict(list)
        for found in self.attributes:
            if len(found.place) >= depth and (found.path == path or found.path.startswith(f"{path}.")):
                groups[found.place[:depth]].append(found)
        return [View(group) for group in groups.values()]


class Expression(ABC):
    @abstractmethod
    def holds(self, view: View) -> bool: ...


@dataclass(frozen=True)
class Equal(Expression):
    """A text is one of these."""

    path: str
    values: tuple[str, ...]

    def holds(self, view: View) -> bool:
        return any(isinstance(value, str) and value in self.values for value in view.values(self.path))


@dataclass(frozen=True)
class Contain(Expression):
    """A text has this part."""

    path: str
    part: str

    def holds(self, view: View) -> bool:
        return any(isinstance(value, str) and self.part in value for value in view.values(self.path))


@dataclass(frozen=True)
class Within(Expression):
    """A number lies between two, which None leaves open."""

    path: str
    low: float | None = None
    high: float | None = None
    with_low: bool = True
    with_high: bool = True

    def holds(self, view: View) -> bool:
        return any(not isinstance(value, str) and self._within(value) for value in view.values(self.path))

    def _within(self, value: float) -> bool:
        above = self.low is None or value > self.low or (self.with_low and value == self.low)
        below = self.high is None or value < self.high or (self.with_high and value == self.high)
        return above and below


@dataclass(frozen=True)
class Present(Expression):
    """There is a value."""

    path: str
    held: Held = "both"

    def holds(self, view: View) -> bool:
        return bool(view.values(self.path))


@dataclass(frozen=True)
class Not(Expression):
    part: Expression

    def holds(self, view: View) -> bool:
        return not self.part.holds(view)


@dataclass(frozen=True)
class AllOf(Expression):
    parts: tuple[Expression, ...]

    def holds(self, view: View) -> bool:
        return all(part.holds(view) for part in self.parts)


@dataclass(frozen=True)
class AnyOf(Expression):
    parts: tuple[Expression, ...]

    def holds(self, view: View) -> bool:
        return any(part.holds(view) for part in self.parts)


@dataclass(frozen=True)
class Together(Expression):
    """One element of a list fulfils all of these."""

    path: str
    depth: int
    """How many lists lie on the path, the last at its end."""
    parts: tuple[Expression, ...]

    def holds(self, view: View) -> bool:
        whole = AllOf(self.parts)
        return any(whole.holds(element) for element in view.elements(self.path, self.depth))


EVERYTHING = AllOf(())
