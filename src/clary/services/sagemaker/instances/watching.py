"""Looking at instances and letting go of them: their status, what they print, their end."""

from contextlib import suppress
from typing import NamedTuple

from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.record import Scope


class Shipped(NamedTuple):
    lines: list[str]
    more: bool
    """Whether the instance had printed more than one page: ask again at once."""


def status_of(house: House, instance_id: str) -> InstanceStatus | None:
    """None where there is no such instance: it was not started yet, or has been released."""
    try:
        return house.engine.poll(instance_id)
    except KeyError:
        return None


def release(house: House, instance_id: str) -> None:
    """Forget the instance and what it left, where it is not forgotten already."""
    with suppress(KeyError):
        house.engine.release(instance_id)


def ship_logs(house: House, scope: Scope, group: str, stream: str, instance_id: str) -> Shipped:
    """Carry a page of what the instance printed since last time into a log stream that clients read. Raises
    `KeyError` where there is no such instance.

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
