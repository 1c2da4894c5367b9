"""BatchGetMetrics: the metrics of training jobs and trial components over time, or over a program's own steps.

The model does not say what unit times have. Here it is milliseconds: SDK v2 hands them to MLflow, which counts so.
"""

import math
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from clary.control.call import Call
from clary.records.errors import NotFound
from clary.records.metrics import Sample, Series
from clary.services.sagemaker.experiments.components import TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.moments import Moments
from clary.services.sagemaker.training.kind import TRAINING_JOB
from clary.services.sagemaker.training.metrics import NAMESPACE as OF_TRAINING_JOBS
from clary.services.sagemaker_metrics import operation
from clary.services.sagemaker_metrics.api import NAMESPACE as OF_COMPONENTS

PERIODS = {"OneMinute": 60, "FiveMinute": 300, "OneHour": 3600}
STEPS = "IterationNumber"
OF_KIND = {
    TRAINING_JOB.name: (OF_TRAINING_JOBS, "TrainingJobName"),
    TRIAL_COMPONENTS.kind.name: (OF_COMPONENTS, "TrialComponentName"),
}


class Unanswerable(Exception):
    """Says why."""


@operation("BatchGetMetrics")
def batch_get_metrics(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"MetricQueryResults": [_answer(call, query) for query in request["MetricQueries"]]}


def _answer(call: Call, query: dict[str, Any]) -> dict[str, Any]:
    try:
        points = list(_points(query, _samples(call, query)))
    except Unanswerable as reason:
        return {"Status": "ValidationError", "Message": str(reason), "XAxisValues": [], "MetricValues": []}
    places, values = [place for place, _ in points], [value for _, value in points]
    return {"Status": "Complete", "XAxisValues": places, "MetricValues": values}


def _samples(call: Call, query: dict[str, Any]) -> list[Sample]:
    arn = query["ResourceArn"]
    try:
        record = call.house.records.by_arn(arn)
    except NotFound:
        record = None
    if record is None or record.scope != call.scope or record.kind not in OF_KIND:
        raise Unanswerable(f"There is no training job and no trial component {arn}.")
    namespace, dimension = OF_KIND[record.kind]
    series = Series(namespace, query["MetricName"], {dimension: record.name})
    return call.house.metrics.samples(call.scope, series, record.created, math.inf)


def _points(query: dict[str, Any], samples: list[Sample]) -> Iterator[tuple[int, float]]:
    """Of each period, or step, in which there are values: its beginning, and the statistic of those."""
    period, stepwise = query["Period"], query["XAxisType"] == STEPS
    if stepwise != (period == STEPS):
        raise Unanswerable(f"The period {period} does not go with the XAxisType {query['XAxisType']}.")
    placed = []
    for number, sample in enumerate(samples):
        if stepwise:
            # Metrics that are read from logs have no steps but their order.
            place = number if sample.step is None else sample.step
        else:
            place = int(sample.at // PERIODS[period] * PERIODS[period] * 1000)
        if query.get("Start", -math.inf) <= place <= query.get("End", math.inf):
            placed.append((place, sample))
    placed.sort(key=itemgetter(0))
    for place, group in groupby(placed, key=itemgetter(0)):
        moments = Moments.of((sample.at, sample.sum / sample.count) for _, sample in group)
        yield place, moments.summary("", "")[query["MetricStat"]]
