"""What a record is: one resource of the API, its request document and its status.

Every time is epoch seconds (float); documents hold JSON values only, so timestamps inside them are floats
too.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Scope(NamedTuple):
    """The part of every record's key that the signature of a call decides."""

    account: str
    region: str


class State(NamedTuple):
    """A status as the API names it, with the secondary status where the kind has one."""

    status: str
    secondary: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of resource and the only roads between its states; the gate refuses every other.

    `name` is also the resource type in ARNs (`training-job`). A state that maps to no other is terminal.
    `live` lists the statuses that a reconciler must look after (recovered at start-up).
    """

    name: str
    transitions: Mapping[State, frozenset[State]] = field(default_factory=dict)
    live: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if KINDS.setdefault(self.name, self) != self:
            raise ValueError(f"there are two kinds of the name {self.name}")


KINDS: dict[str, Kind] = {}
"""Every kind that was defined, by name: how the gate finds the roads of a record that it is handed."""


NEVER = math.inf
"""As a `wake_at`: takes the record's timer away."""


@dataclass(frozen=True)
class Record:
    id: str
    kind: str
    scope: Scope
    name: str
    arn: str
    state: State
    document: dict[str, Any]
    created: float
    modified: float
    version: int
    """Grows by one with every change; an update of a record that is not current raises `Stale`."""
    parent: str | None = None
    """The id of the record whose work this is a part of; its passages wake that one."""
    wake_at: float | None = None
    """When its reconciler is to step it, whatever else happens; gone once a step that began after that has returned."""


@dataclass(frozen=True)
class Event:
    """One passage through the gate: what `SecondaryStatusTransitions` and timelines are made of."""

    at: float
    state: State
    message: str
