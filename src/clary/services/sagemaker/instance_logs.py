"""Carries what instances print into the log streams that clients read."""

from clary.records.record import Scope
from clary.services.house import House


def ship_logs(house: House, scope: Scope, group: str, stream: str, instance_id: str) -> list[str]:
    """Append what the instance printed since last time; returns those lines.

    The offset is kept in the same transaction as the lines, so none is lost or repeated by a crash between.
    """
    texts: list[str] = []
    offset = house.logs.source_offset(scope, group, stream)
    while True:
        lines, reached = house.engine.logs(instance_id, offset)
        if reached == offset:
            return texts
        events = [(line.at, line.text) for line in lines]
        house.logs.append(scope, group, stream, events, source_offset=reached)
        texts.extend(text for _, text in events)
        offset = reached
