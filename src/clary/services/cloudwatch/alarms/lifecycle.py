"""Alarms are evaluated each minute, those of high resolution each ten seconds, and when they are set or changed."""

import time

from clary.control.house import House
from clary.records.errors import NotFound
from clary.records.record import Record
from clary.services.cloudwatch.alarms.evaluation import MARGIN, Verdict, evaluate
from clary.services.cloudwatch.alarms.kind import ALARMS
from clary.services.cloudwatch.alarms.passage import enter, perform, repeat
from clary.services.cloudwatch.alarms.requests import period_of, queries_of, returned_id
from clary.services.cloudwatch.data import evaluate_queries
from clary.services.cloudwatch.statistics import MINUTE
from clary.wire.errors import ServiceError

HIGH_RESOLUTION_TICK = 10
LAG = 1.5
"""Seconds after a period's end at which what was measured in it has arrived: endpoints tell of theirs once a second."""


class AlarmReconciler:
    kind = ALARMS

    def __init__(self, house: House) -> None:
        self._house = house

    def step(self, record_id: str) -> float | None:
        try:
            record = self._house.records.load(record_id)
        except NotFound:
            return None
        tick = MINUTE if period_of(record.document) >= MINUTE else HIGH_RESOLUTION_TICK
        end = (time.time() - LAG) // tick * tick
        if record.document.get("Due"):
            # A state that was set by hand lasts until the next look at the metric takes it away.
            perform(self._house, record)
        else:
            self._evaluate(record, end)
        return max(0.0, end + tick + LAG - time.time())

    def _evaluate(self, record: Record, end: float) -> None:
        verdict = self._judge(record, end)
        if verdict.state == record.state:
            repeat(self._house, record)
        else:
            perform(self._house, enter(self._house, record, *verdict))

    def _judge(self, record: Record, end: float) -> Verdict:
        try:
            slots = _slots(self._house, record, end)
        except ServiceError as error:
            return Verdict(record.state, error.message, "")
        return evaluate(record.document, record.state, slots)


def latest_value(house: House, alarm: Record) -> float | None:
    """The newest datapoint of an alarm's metric, within the range that it is evaluated over."""
    known = [value for _, value in _slots(house, alarm, time.time()) if value is not None]
    return known[-1] if known else None


def _slots(house: House, record: Record, end: float) -> list[tuple[float, float | None]]:
    """The periods before `end`, the oldest first: when each begins, and its value."""
    period = period_of(record.document)
    count = record.document["EvaluationPeriods"] + MARGIN
    queries, tick = queries_of(record.document), min(period, MINUTE)
    start = end // tick * tick - count * period
    points = evaluate_queries(house.metrics, record.scope, queries, start, start + count * period)[returned_id(queries)]
    return [(start + number * period, points.get(start + number * period)) for number in range(count)]
