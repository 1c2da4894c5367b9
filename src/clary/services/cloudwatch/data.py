"""GetMetricData: several series and expressions over them in one answer.

queries ──▶ the series of each MetricStat ──▶ expressions, once their variables are known ──▶ pages of points
"""

import re
from typing import Any

from clary.control.call import Call
from clary.records.metrics import MetricStore
from clary.records.record import Scope
from clary.services.cloudwatch import operation
from clary.services.cloudwatch.errors import as_validation_errors, bad_combination, bad_value
from clary.services.cloudwatch.expressions import Points, evaluate, variables
from clary.services.cloudwatch.requests import series_of
from clary.services.cloudwatch.statistics import (
    by_period,
    check_period,
    check_statistic,
    first_period,
    statistic,
)
from clary.wire.errors import ServiceError

MOST_DATAPOINTS = 100_800
MOST_QUERIES = 500
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


@operation("GetMetricData")
def get_metric_data(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    queries = request["MetricDataQueries"]
    with as_validation_errors():
        _check(request)
        points = evaluate_queries(call.house.metrics, call.scope, queries, request["StartTime"], request["EndTime"])
    newest_first = request.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    wanted = [
        (query, sorted(points[query["Id"]].items(), reverse=newest_first))
        for query in queries
        if query.get("ReturnData", True)
    ]
    return _page(wanted, _read_token(request), request.get("MaxDatapoints", MOST_DATAPOINTS))


def _check(request: dict[str, Any]) -> None:
    if request["StartTime"] == request["EndTime"]:
        raise bad_value("The parameter StartTime must not equal parameter EndTime.")
    if request["StartTime"] > request["EndTime"]:
        raise bad_value("The parameter EndTime must be greater than StartTime.")
    if not request["MetricDataQueries"]:
        raise bad_value("The parameter MetricDataQueries is required.")
    if len(request["MetricDataQueries"]) > MOST_QUERIES:
        raise bad_value(f"The collection MetricDataQueries must not have a size greater than {MOST_QUERIES}.")


def _read_token(request: dict[str, Any]) -> int:
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 10):
        raise ServiceError("InvalidNextToken", "The NextToken is not valid for this request.", 400)
    return int(token)


def evaluate_queries(
    metrics: MetricStore, scope: Scope, queries: list[dict[str, Any]], start: float, end: float
) -> dict[str, Points]:
    """The points of each query, by its id."""
    known: dict[str, Points] = {}
    waiting: dict[str, str] = {}
    for query in queries:
        if not _ID.fullmatch(query["Id"]):
            raise bad_value(
                f"The Id {query['Id']} in MetricDataQueries must begin with a lowercase letter and hold only letters, "
                "numbers and underscores."
            )
        if query["Id"] in known or query["Id"] in waiting:
            raise bad_value(f"The values for parameter id in MetricDataQueries are not unique: {query['Id']}.")
        if ("MetricStat" in query) == ("Expression" in query):
            raise bad_combination("Each MetricDataQuery must have either MetricStat or Expression, and not both.")
        if "MetricStat" in query:
            known[query["Id"]] = _measured(metrics, scope, query["MetricStat"], start, end)
        else:
            waiting[query["Id"]] = query["Expression"]
    while waiting:
        ready = [name for name, expression in waiting.items() if variables(expression) <= known.keys()]
        if not ready:
            name, expression = next(iter(waiting.items()))
            unknown = ", ".join(sorted(variables(expression) - known.keys()))
            raise bad_value(f"Error in expression '{name}' [{expression}]: {unknown} cannot be resolved.")
        for name in ready:
            known[name] = evaluate(waiting.pop(name), known)
    return known


def _measured(metrics: MetricStore, scope: Scope, stat: dict[str, Any], start: float, end: float) -> Points:
    period, name = stat["Period"], stat["Stat"]
    check_period(period)
    check_statistic(name)
    metric = stat["Metric"]
    if "Namespace" not in metric or "MetricName" not in metric:
        raise bad_value("A MetricStat needs the Namespace and the MetricName of its Metric.")
    origin = first_period(start, period)
    samples = metrics.samples(scope, series_of(metric), origin, end, stat.get("Unit"))
    values = {at: statistic(name, group) for at, group in by_period(samples, origin, period).items()}
    return {at: value for at, value in values.items() if value is not None}


def _page(wanted: list[tuple[dict[str, Any], list[tuple[float, float]]]], skip: int, limit: int) -> dict[str, Any]:
    """The points after the first `skip` of all results, `limit` at most. The next page's token is its
    `skip`."""
    results = []
    unseen, room = skip, limit
    for query, points in wanted:
        passed = min(unseen, len(points))
        taken = points[passed : passed + room]
        unseen -= passed
        room -= len(taken)
        results.append(
            {
                "Id": query["Id"],
                "Label": query.get("Label", _label(query)),
                "Timestamps": [at for at, _ in taken],
                "Values": [value for _, value in taken],
                "StatusCode": "Complete" if passed + len(taken) == len(points) else "PartialData",
            }
        )
    more = sum(len(points) for _, points in wanted) > skip + limit
    return {"MetricDataResults": results, **({"NextToken": str(skip + limit)} if more else {})}


def _label(query: dict[str, Any]) -> str:
    label: str = query["MetricStat"]["Metric"]["MetricName"] if "MetricStat" in query else query["Id"]
    return label
