"""From a metric's datapoints to the state of an alarm: a pure function.

How missing datapoints count is that of "Configuring how CloudWatch alarms treat missing data" in the user guide: the
newest datapoints of a range that is longer than the evaluation periods are looked at, and only those that are then
still missing are treated as the alarm says.
"""

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from clary.records.record import State
from clary.services.cloudwatch.alarms.kind import ALARM, INSUFFICIENT_DATA, OK

MARGIN = 2
"""Periods that are looked at beyond the evaluation periods."""

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}


class Verdict(NamedTuple):
    state: State
    reason: str
    data: str
    """JSON, as `StateReasonData`."""


def evaluate(alarm: Mapping[str, Any], current: State, slots: Sequence[tuple[float, float | None]]) -> Verdict:
    """`slots` are the periods of the range, the oldest first: when each begins and its value, None where it is missing.

    Keeps `current` where what is there does not decide.
    """
    total = alarm["EvaluationPeriods"]
    known = [(at, value) for at, value in slots if value is not None][-total:]
    state = _decide(alarm, current, known, [at for at, _ in slots])
    return Verdict(state, _reason(alarm, current, state, known), _data(alarm, slots, known))


def _decide(
    alarm: Mapping[str, Any], current: State, known: Sequence[tuple[float, float]], starts: Sequence[float]
) -> State:
    total = alarm["EvaluationPeriods"]
    needed = alarm.get("DatapointsToAlarm", total)
    treatment = alarm.get("TreatMissingData", "missing")
    breaches = _breaches(alarm)
    breaching = sum(breaches(value) for _, value in known)
    if not known:
        return {"breaching": ALARM, "notBreaching": OK, "missing": INSUFFICIENT_DATA, "ignore": current}[str(treatment)]
    missing = total - len(known)
    if breaching >= needed:
        return ALARM
    if treatment == "breaching":
        return ALARM if breaching + missing >= needed else OK
    if treatment == "notBreaching" or not missing or breaching < len(known):
        return OK
    # All that is known breaches, and is too little. An old breach that nothing newer contradicts is enough.
    age = len(starts) - starts.index(known[0][0])
    return ALARM if treatment == "missing" and age >= needed else current


def _breaches(alarm: Mapping[str, Any]) -> Callable[[float], bool]:
    compare, _ = _COMPARISONS[alarm["ComparisonOperator"]]
    return lambda value: compare(value, alarm["Threshold"])


def _reason(alarm: Mapping[str, Any], current: State, state: State, known: Sequence[tuple[float, float]]) -> str:
    if not known:
        many = alarm["EvaluationPeriods"]
        return f"Insufficient Data: {many} datapoint{'s were' if many > 1 else ' was'} unknown."
    _, words = _COMPARISONS[alarm["ComparisonOperator"]]
    breaches = _breaches(alarm)
    telling = [(at, value) for at, value in reversed(known) if breaches(value) == (state == ALARM)] or known
    listed = ", ".join(f"{value} ({datetime.fromtimestamp(at, UTC):%d/%m/%y %H:%M:%S})" for at, value in telling[:5])
    needed = alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"])
    least = needed if state == ALARM else alarm["EvaluationPeriods"] - needed + 1
    return (
        f"Threshold Crossed: {len(telling)} out of the last {alarm['EvaluationPeriods']} datapoints [{listed}] "
        f"{'were' if len(telling) > 1 else 'was'} {'' if state == ALARM else 'not '}{words} the threshold "
        f"({alarm['Threshold']}) (minimum {least} datapoint{'s' if least > 1 else ''} for {current.status} -> "
        f"{state.status} transition)."
    )[:1023]


def _data(
    alarm: Mapping[str, Any], slots: Sequence[tuple[float, float | None]], known: Sequence[tuple[float, float]]
) -> str:
    stat = {name: alarm[key] for name, key in (("statistic", "Statistic"), ("period", "Period")) if key in alarm}
    told = {
        "version": "1.0",
        "queryDate": _iso(datetime.now(UTC).timestamp()),
        "startDate": _iso(slots[0][0]),
        **stat,
        "recentDatapoints": [value for _, value in known],
        "threshold": alarm["Threshold"],
        "evaluatedDatapoints": [{"timestamp": _iso(at), "value": value} for at, value in reversed(known[-10:])],
    }
    return json.dumps(told)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
