"""How missing datapoints count: the tables of the CloudWatch user guide, and what users read of a verdict."""

import json
from typing import Any

import pytest

from clary.records.record import State
from clary.services.cloudwatch.alarms.evaluation import evaluate
from clary.services.cloudwatch.alarms.kind import ALARM, INSUFFICIENT_DATA, OK

BREACH, FINE = 9.0, 1.0
RETAIN = INSUFFICIENT_DATA
"""What the alarm was in before."""


def alarm(needed: int, treatment: str) -> dict[str, Any]:
    return {
        "EvaluationPeriods": 3,
        "DatapointsToAlarm": needed,
        "Threshold": 5.0,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": treatment,
        "Statistic": "Sum",
        "Period": 60,
    }


def slots(pattern: str) -> list[tuple[float, float | None]]:
    """`0` is a datapoint that does not breach, `X` one that does, `-` a missing one; the newest is the last."""
    values = {"0": FINE, "X": BREACH, "-": None}
    return [(60.0 * number, values[each]) for number, each in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "needed", "expected"),
    [
        ("0-X-X", 3, (OK, OK, OK, OK)),
        ("0----", 3, (OK, OK, OK, OK)),
        ("-----", 3, (INSUFFICIENT_DATA, RETAIN, ALARM, OK)),
        ("0XX-X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", 3, (ALARM, RETAIN, ALARM, OK)),
        ("----X", 3, (RETAIN, RETAIN, ALARM, OK)),
        ("0-X-X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", 2, (OK, OK, ALARM, OK)),
        ("----0", 2, (OK, OK, ALARM, OK)),
        ("---X-", 2, (ALARM, RETAIN, ALARM, OK)),
    ],
)
def test_missing_data_is_treated_as_documented(pattern: str, needed: int, expected: tuple[State, ...]) -> None:
    """`expected` with missing, ignore, breaching and notBreaching."""
    treatments = ("missing", "ignore", "breaching", "notBreaching")
    seen = [evaluate(alarm(needed, treatment), RETAIN, slots(pattern)).state for treatment in treatments]
    assert tuple(seen) == expected


def test_a_verdict_says_which_datapoints_led_to_it() -> None:
    verdict = evaluate(alarm(2, "missing"), OK, slots("0XX"))
    assert verdict.reason == (
        "Threshold Crossed: 2 out of the last 3 datapoints [9.0 (01/01/70 00:02:00), 9.0 (01/01/70 00:01:00)] were "
        "greater than the threshold (5.0) (minimum 2 datapoints for OK -> ALARM transition)."
    )
    assert json.loads(verdict.data)["recentDatapoints"] == [1.0, 9.0, 9.0]
