"""Carries what instances print into the log streams that clients read."""

from typing import NamedTuple

from clary.control.house import House
from clary.records.record import Scope


class Shipped(NamedTuple):
    lines: list[str]
    more: bool
    """Whether the instance had printed more than one page: ask again at once."""


def ship_logs(house: House, scope: Scope, group: str, stream: str, instance_id: str) -> Shipped:
    """Append a page of what the instance printed since last time.

    One page and no more, so that a program which never stops printing leaves time for everything else. The offset is
    kept in the same transaction as the lines, so none is lost or repeated by a crash between.
    """
    offset = house.logs.source_offset(scope, group, stream)
    lines, reached = house.engine.logs(instance_id, offset)
    if reached == offset:
        return Shipped([], more=False)
    events = [(line.at, line.text) for line in lines]
    house.logs.append(scope, group, stream, events, source_offset=reached)
    return Shipped([text for _, text in events], more=True)
