"""Operations on metrics. GetMetricData is in `data.py`."""

import time
from typing import Any

from clary.control.call import Call
from clary.records.metrics import Sample
from clary.services.cloudwatch import operation
from clary.services.cloudwatch.errors import bad_combination, bad_value, missing
from clary.services.cloudwatch.requests import samples_of, series_of
from clary.services.cloudwatch.statistics import (
    by_period,
    check_period,
    check_statistic,
    first_period,
    statistic,
)

MOST_DATA = 1000
MOST_DATAPOINTS = 1440
SERIES_PAGE = 500
RECENT = 3 * 3600


@operation("PutMetricData")
def put_metric_data(call: Call, request: dict[str, Any]) -> None:
    if "EntityMetricData" in request:
        raise bad_combination("EntityMetricData is not built in Clary yet.")
    metric_data = request.get("MetricData", [])
    if not metric_data:
        raise missing("The parameter MetricData is required.")
    if len(metric_data) > MOST_DATA:
        raise bad_value(f"The collection MetricData must not have a size greater than {MOST_DATA}.")
    call.house.metrics.put(
        call.scope,
        [
            (series_of({"Namespace": request["Namespace"], **datum}), sample)
            for number, datum in enumerate(metric_data, start=1)
            for sample in samples_of(datum, f"MetricData.member.{number}")
        ],
    )


@operation("GetMetricStatistics")
def get_metric_statistics(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if request["StartTime"] >= request["EndTime"]:
        raise bad_value("The parameter StartTime must be less than the parameter EndTime.")
    period = request["Period"]
    check_period(period)
    if ("Statistics" in request) == ("ExtendedStatistics" in request):
        raise bad_combination("Must specify either Statistics or ExtendedStatistics, but not both.")
    for name in request.get("ExtendedStatistics", []):
        check_statistic(name)
    origin = first_period(request["StartTime"], period)
    points = (request["EndTime"] - origin) / period
    if points > MOST_DATAPOINTS:
        raise bad_combination(
            f"You have requested up to {points:.0f} datapoints, which exceeds the limit of {MOST_DATAPOINTS}. You may "
            "reduce the datapoints requested by increasing Period, or decreasing the time range."
        )
    samples = call.house.metrics.samples(
        call.scope, series_of(request), origin, request["EndTime"], request.get("Unit")
    )
    datapoints = [
        _datapoint(at, unit, [sample for sample in group if sample.unit == unit], request)
        for at, group in by_period(samples, origin, period).items()
        for unit in sorted({sample.unit for sample in group})
    ]
    return {"Label": request["MetricName"], "Datapoints": datapoints}


@operation("ListMetrics")
def list_metrics(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    token = request.get("NextToken", "0")
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise bad_value("The NextToken is not valid for this request.")
    found = call.house.metrics.series(
        call.scope,
        namespace=request.get("Namespace"),
        name=request.get("MetricName"),
        dimensions={each["Name"]: each.get("Value") for each in request.get("Dimensions", [])},
        active_since=time.time() - RECENT if "RecentlyActive" in request else None,
        after=int(token),
        limit=SERIES_PAGE + 1,
    )
    page = found[:SERIES_PAGE]
    metrics = [
        {
            "Namespace": listed.series.namespace,
            "MetricName": listed.series.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in listed.series.dimensions.items()],
        }
        for listed in page
    ]
    more = {"NextToken": str(page[-1].id)} if len(found) > SERIES_PAGE else {}
    return {"Metrics": metrics, **more}


def _datapoint(at: float, unit: str, samples: list[Sample], request: dict[str, Any]) -> dict[str, Any]:
    values = {name: statistic(name, samples) for name in request.get("Statistics", [])}
    extended = {name: statistic(name, samples) for name in request.get("ExtendedStatistics", [])}
    known = {name: value for name, value in extended.items() if value is not None}
    return {"Timestamp": at, "Unit": unit, **values, **({"ExtendedStatistics": known} if extended else {})}
