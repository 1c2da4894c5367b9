"""The states of an alarm, and how one is found."""

from typing import Any

from clary.arns import regional_arn
from clary.control.call import Call
from clary.records.record import Kind, Record, Scope, State
from clary.wire.errors import ServiceError

OK = State("OK")
ALARM = State("ALARM")
INSUFFICIENT_DATA = State("INSUFFICIENT_DATA")
STATES = {state.status: state for state in (OK, ALARM, INSUFFICIENT_DATA)}

ALARMS = Kind(
    name="alarm",
    transitions={state: frozenset(STATES.values()) - {state} for state in STATES.values()},
    live=frozenset(STATES),
)

OWN = frozenset({"From", "Due", "History"})
"""Members of the document that are no members of a `MetricAlarm`: the state before, whether its passage has yet to be
acted on, and what `history.py` keeps."""


def alarm_arn(scope: Scope, name: str) -> str:
    return regional_arn("cloudwatch", scope.region, scope.account, f"alarm:{name}")


def find_alarm(call: Call, name: str) -> Record:
    """Raises `ResourceNotFound`."""
    record = call.house.records.find(ALARMS, call.scope, name)
    if record is None:
        raise ServiceError("ResourceNotFound", f"Unknown alarm: {name}", 404)
    return record


def told(record: Record) -> dict[str, Any]:
    """As a `MetricAlarm`."""
    return {
        **{member: value for member, value in record.document.items() if member not in OWN},
        "AlarmName": record.name,
        "AlarmArn": record.arn,
        "StateValue": record.state.status,
    }
