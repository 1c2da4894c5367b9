"""Looking at instances and letting go of them: their status, what they print, their end."""

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from clary.control.house import House
from clary.instance.spec import InstanceStatus
from clary.records.log_rows import Lines
from clary.records.record import Scope
from clary.services.sagemaker.instances.outputs import discard

EVERYTHING: Mapping[str, Lines] = {}


class Printed(NamedTuple):
    """A page of what an instance printed since what is kept of it, and no more than one, so that a program which never
    stops printing leaves time for everything else."""

    stream: str
    lines: list[tuple[float, str]]
    """`(at, text)`: epoch seconds and what was printed."""
    reached: int
    more: bool
    """Whether there was anything: ask again at once."""


def status_of(house: House, instance_id: str) -> InstanceStatus | None:
    """None where there is no such instance: it was not started yet, or has been released."""
    try:
        return house.engine.poll(instance_id)
    except KeyError:
        return None


def release(house: House, instance_id: str) -> None:
    """Forget the instance and what it left, where it is not forgotten already."""
    discard(house, instance_id)
    with suppress(KeyError):
        house.engine.release(instance_id)


def read_logs(house: House, scope: Scope, group: str, stream: str, instance_id: str) -> Printed:
    """Raises `KeyError` where there is no such instance."""
    offset = house.logs.source_offset(scope, group, stream)
    lines, reached = house.engine.logs(instance_id, offset)
    if reached == offset:
        return Printed(stream, [], reached, more=False)
    return Printed(stream, [(line.at, line.text) for line in lines], reached, more=True)


def keep_logs(
    house: House, scope: Scope, group: str, printed: Printed, streams: Mapping[str, Lines] = EVERYTHING
) -> None:
    """Carry the page into its log stream, which clients read. The offset is kept in the same transaction as the lines,
    so none is lost or repeated by a crash between; what is read from them belongs into it too (`records.together`).
    `streams` is as `Findings.streams`."""
    if not printed.more:
        return
    own = streams.get("", []) if streams else printed.lines
    house.logs.append(scope, group, printed.stream, own, source_offset=printed.reached)
    for end, lines in streams.items():
        if end:
            house.logs.append(scope, group, f"{printed.stream}{end}", lines)


def ship_logs(house: House, scope: Scope, group: str, stream: str, instance_id: str) -> Printed:
    """Both, where nothing is read from the lines."""
    printed = read_logs(house, scope, group, stream, instance_id)
    keep_logs(house, scope, group, printed)
    return printed
