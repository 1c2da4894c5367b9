"""Which kinds of records can be searched, and as what."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clary.records.record import Event, Kind, Record

Document = dict[str, Any]

LAYOUT = 1
"""Raised when attributes are made otherwise than before: all records are then indexed anew."""


@dataclass(frozen=True)
class NamedList:
    """A list whose elements are also found by a name in them: `Metrics.accuracy` is the `Value` of the element of
    `FinalMetricDataList` whose `MetricName` is `accuracy`."""

    name: str
    member: str
    key: str
    value: str = ""
    """The member of an element that is its value; empty where it has several: `Metrics.accuracy.Max`."""


@dataclass(frozen=True)
class Searchable:
    """A kind of record that can be searched. Register it by `searchable`."""

    kind: Kind
    resource: str
    """`ExperimentTrial`: what a client searches for."""
    describe: Callable[[Record], Document]
    """The document as Search answers it, without tags. What it reads beside the record is not seen to change."""
    member: str = ""
    """`Trial`: of a search result; empty is `resource`."""
    within: str = ""
    """The member of that member which the document is; empty where it is the whole."""
    named: tuple[NamedList, ...] = ()
    decimals: tuple[str, ...] = ()
    """Maps of text whose values are also numbers where they read as numbers: `HyperParameters`."""
    passages: Mapping[str, Callable[[Record, Sequence[Event]], Any]] = field(default_factory=dict)
    """Members made of the record's events, which are answered and not searched."""
    untold: tuple[str, ...] = ()
    """Members of the published shape that the record does not tell: a search by one is refused, not answered with
    nothing."""
    revision: int = 1
    """Raised when `describe` says otherwise than before of a record that has not changed."""

    @property
    def fingerprint(self) -> str:
        """Of all that decides how records of the kind are indexed."""
        made_of = (LAYOUT, self.revision, self.within, self.named, self.decimals)
        return hashlib.blake2b(repr(made_of).encode(), digest_size=8).hexdigest()


SEARCHABLE: dict[str, Searchable] = {}
"""By the kind's name."""


def searchable(declared: Searchable) -> Searchable:
    """Records of the kind are indexed from now on, and those that are there already when a platform next starts."""
    SEARCHABLE[declared.kind.name] = declared
    return declared
