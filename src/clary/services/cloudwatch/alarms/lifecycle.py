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
        alarm = record.document
        period = period_of(alarm)
        count = alarm["EvaluationPeriods"] + MARGIN
        start = end - count * period
        queries = queries_of(alarm)
        try:
            points = evaluate_queries(self._house.metrics, record.scope, queries, start, end)[returned_id(queries)]
        except ServiceError as error:
            return Verdict(record.state, error.message, "")
        starts = [start + number * period for number in range(count)]
        return evaluate(alarm, record.state, [(at, points.get(at)) for at in starts])
