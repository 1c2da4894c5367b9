"""Operations on log events.

PutLogEvents ──▶ stream ──▶ GetLogEvents      a page of one stream, with a token for each direction
                       └──▶ FilterLogEvents   pages of many streams, of the events that match a pattern
"""

import time
from functools import partial
from typing import Any, Protocol

from clary.control.call import Call
from clary.records.log_reader import HEAD, TAIL, LogEvent, Position, Window
from clary.services.logs import operation
from clary.services.logs.patterns import Matches, compile_pattern
from clary.services.logs.requests import (
    errors_of_logs,
    group_name,
    invalid,
    read_token,
    sequence_token,
    write_token,
)

MOST_EVENTS = 10_000
MOST_BYTES = 1 << 20
EVENT_OVERHEAD = 26
"""Bytes that each event counts in a batch beside its text."""

MOST_SCANNED = 100_000
"""Events that one FilterLogEvents reads before it answers with what it found so far, and a token."""

_HOUR = 3600 * 1000
_TOO_NEW = 2 * _HOUR
_TOO_OLD = 14 * 24 * _HOUR


class Search(Protocol):
    def __call__(self, *, position: Position, limit: int) -> list[LogEvent]: ...


@operation("PutLogEvents")
def put_log_events(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    group, stream, events = request["logGroupName"], request["logStreamName"], request["logEvents"]
    _check_batch(events)
    with errors_of_logs():
        retention = call.house.logs.group(call.scope, group).retention_days
        now = time.time() * 1000
        oldest = now - _TOO_OLD
        expired = now - retention * 24 * _HOUR if retention is not None else 0
        times = [event["timestamp"] for event in events]
        first = sum(at < max(oldest, expired) for at in times)
        end = sum(at <= now + _TOO_NEW for at in times)
        accepted = [(event["timestamp"] / 1000, event["message"]) for event in events[first:end]]
        call.house.logs.put(call.scope, group, stream, accepted)
    rejected: dict[str, int] = {}
    if end < len(events):
        rejected["tooNewLogEventStartIndex"] = end
    if too_old := sum(at < oldest for at in times):
        rejected["tooOldLogEventEndIndex"] = too_old
    if first > too_old:
        rejected["expiredLogEventEndIndex"] = first
    answer: dict[str, Any] = {"nextSequenceToken": sequence_token(now)}
    return answer | ({"rejectedLogEventsInfo": rejected} if rejected else {})


@operation("GetLogEvents")
def get_log_events(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    group = group_name(request)
    position = TAIL if not request.get("startFromHead", False) else HEAD
    if "nextToken" in request:
        position = _read_position(request["nextToken"])
    window = Window(request.get("startTime", 0), request.get("endTime", Window().end))
    with errors_of_logs():
        page = call.house.logs.read(
            call.scope, group, request["logStreamName"], window, position, request.get("limit", MOST_EVENTS)
        )
    forward, backward = _around(page, position)
    return {
        "events": [_shown(event) for event in page],
        "nextForwardToken": "f/" + write_token(forward.at, forward.id),
        "nextBackwardToken": "b/" + write_token(backward.at, backward.id),
    }


@operation("FilterLogEvents")
def filter_log_events(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "logStreamNames" in request and "logStreamNamePrefix" in request:
        raise invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters.")
    group = group_name(request)
    matches = compile_pattern(request.get("filterPattern", ""))
    # Unlike GetLogEvents, this operation documents its end as part of the range.
    end_time = min(request.get("endTime", Window().end), Window().end)
    window = Window(request.get("startTime", 0), end_time + 1)
    position = HEAD if request.get("startFromHead", True) else TAIL
    if "nextToken" in request:
        position = Position(*read_token(request["nextToken"], bool, int, int))
    search = partial(
        call.house.logs.search,
        call.scope,
        group,
        window,
        streams=request.get("logStreamNames", ()),
        prefix=request.get("logStreamNamePrefix", ""),
    )
    with errors_of_logs():
        found, end = _scan(search, position, matches, request.get("limit", MOST_EVENTS))
    events = [
        {**_shown(event), "logStreamName": event.stream, "eventId": f"{event.at:020d}{event.id:036d}"}
        for event in found
    ]
    token = {} if end is None else {"nextToken": write_token(end.forward, end.at, end.id)}
    return {"events": events, "searchedLogStreams": [], **token}


def _scan(search: Search, position: Position, matches: Matches, limit: int) -> tuple[list[LogEvent], Position | None]:
    """The events beyond `position` that match, and where the next page begins; None where nothing lies there.
    Ends with the first page that holds any, or when it has read so much that the client should hear of it."""
    found: list[LogEvent] = []
    scanned = 0
    while len(found) == 0 and scanned < MOST_SCANNED:
        page = search(position=position, limit=MOST_EVENTS)
        if not page:
            return found, None
        scanned += len(page)
        for event in page if position.forward else reversed(page):
            position = Position(position.forward, event.at, event.id)
            if matches(event.text):
                found.append(event)
                if len(found) == limit:
                    break
    more = search(position=position, limit=1)
    return found, position if more else None


def _check_batch(events: list[dict[str, Any]]) -> None:
    sizes = [len(event["message"].encode()) for event in events]
    if max(sizes) > MOST_BYTES:
        raise invalid(f"Log event too large: {max(sizes)} bytes exceeds limit of {MOST_BYTES}")
    batch = sum(sizes) + EVENT_OVERHEAD * len(sizes)
    if batch > MOST_BYTES:
        raise invalid(f"Upload too large: {batch} bytes exceeds limit of {MOST_BYTES}")
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    if times[-1] - times[0] > 24 * _HOUR:
        raise invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")


def _around(page: list[LogEvent], position: Position) -> tuple[Position, Position]:
    """Where to read on after the page, and before it. An empty page leaves its own side where it was and puts
    the other one behind the event that the position names, which is the next in that direction."""
    if page:
        return Position(True, page[-1].at, page[-1].id), Position(False, page[0].at, page[0].id)
    if position == TAIL:
        return HEAD, TAIL
    if position.forward:
        return position, Position(False, position.at, position.id + 1)
    return Position(True, position.at, position.id - 1), position


def _read_position(token: str) -> Position:
    direction, _, place = token.partition("/")
    if direction not in ("f", "b"):
        raise invalid("The specified nextToken is invalid.")
    at, number = read_token(place, int, int)
    return Position(direction == "f", at, number)


def _shown(event: LogEvent) -> dict[str, Any]:
    return {"timestamp": event.at, "ingestionTime": event.ingested, "message": event.text}
