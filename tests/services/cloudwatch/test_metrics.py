"""CloudWatch metrics through boto3."""

import itertools
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

NUMBERS = itertools.count()
MINUTE = 60


@pytest.fixture(scope="module")
def cloudwatch(platform: Platform) -> Any:
    return platform.client("cloudwatch")


@pytest.fixture
def namespace() -> str:
    return f"Test{next(NUMBERS)}"


@pytest.fixture
def start() -> float:
    """A whole minute, an hour ago."""
    return time.time() // MINUTE * MINUTE - 3600


def _dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


def _statistics(cloudwatch: Any, namespace: str, start: float, **options: Any) -> list[dict[str, Any]]:
    request = {"MetricName": "loss", "StartTime": start, "EndTime": start + 3600, "Period": 60, **options}
    answer = cloudwatch.get_metric_statistics(Namespace=namespace, **request)
    assert answer["Label"] == "loss"
    return sorted(answer["Datapoints"], key=lambda point: point["Timestamp"])


def _query(name: str, namespace: str, stat: str = "Sum", **options: Any) -> dict[str, Any]:
    metric = {"Namespace": namespace, "MetricName": "loss"}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}, **options}


def _data(cloudwatch: Any, start: float, *queries: dict[str, Any], **options: Any) -> dict[str, list[float]]:
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=list(queries), StartTime=start, EndTime=start + 3600, **options
    )
    return {result["Id"]: result["Values"] for result in answer["MetricDataResults"]}


def _put(cloudwatch: Any, namespace: str, *data: dict[str, Any]) -> None:
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "loss", **each} for each in data])


def test_every_way_to_report_counts_into_the_statistics(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(
        cloudwatch,
        namespace,
        {"Timestamp": start + 1, "Value": 2.0},
        {"Timestamp": start + 2, "Values": [1.0, 3.0], "Counts": [2.0, 1.0]},
        {
            "Timestamp": start + 59,
            "StatisticValues": {"SampleCount": 4, "Sum": 11, "Minimum": 0.5, "Maximum": 7},
        },
        {"Timestamp": start + 60, "Values": [5.0]},
    )
    names = ["SampleCount", "Sum", "Average", "Minimum", "Maximum"]
    first, second = _statistics(cloudwatch, namespace, start, Statistics=names)
    assert [first[name] for name in names] == [8.0, 18.0, 2.25, 0.5, 7.0]
    assert [second[name] for name in names] == [1.0, 5.0, 5.0, 5.0, 5.0]
    assert first["Timestamp"].timestamp() == start
    assert first["Unit"] == "None"


def test_percentiles_are_of_what_was_measured(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(cloudwatch, namespace, {"Timestamp": start, "Values": [1.0, 2.0, 100.0], "Counts": [50, 49, 1]})
    (point,) = _statistics(cloudwatch, namespace, start, ExtendedStatistics=["p50", "p99", "p99.9", "p0"])
    assert point["ExtendedStatistics"] == {"p50": 1.0, "p99": 2.0, "p99.9": 100.0, "p0": 1.0}
    bounds = {"SampleCount": 2, "Sum": 3, "Minimum": 1, "Maximum": 2}
    _put(cloudwatch, namespace, {"Timestamp": start, "StatisticValues": bounds})
    (point,) = _statistics(cloudwatch, namespace, start, ExtendedStatistics=["p50"])
    assert point["ExtendedStatistics"] == {}


def test_units_are_kept_apart(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(
        cloudwatch,
        namespace,
        {"Timestamp": start, "Value": 1.0, "Unit": "Seconds"},
        {"Timestamp": start, "Value": 2.0, "Unit": "Count"},
    )
    points = _statistics(cloudwatch, namespace, start, Statistics=["Sum"])
    assert {point["Unit"]: point["Sum"] for point in points} == {"Seconds": 1.0, "Count": 2.0}
    (only,) = _statistics(cloudwatch, namespace, start, Statistics=["Sum"], Unit="Count")
    assert only["Sum"] == 2.0


def test_dimensions_make_series_of_their_own(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(
        cloudwatch,
        namespace,
        {"Timestamp": start, "Value": 1.0, "Dimensions": _dimensions(job="a", host="x")},
        {"Timestamp": start, "Value": 2.0, "Dimensions": _dimensions(job="b")},
    )
    (point,) = _statistics(cloudwatch, namespace, start, Statistics=["Sum"], Dimensions=_dimensions(host="x", job="a"))
    assert point["Sum"] == 1.0
    assert _statistics(cloudwatch, namespace, start, Statistics=["Sum"], Dimensions=_dimensions(job="a")) == []


def test_data_comes_newest_first_unless_asked_otherwise(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(cloudwatch, namespace, *[{"Timestamp": start + 60 * n, "Value": float(n)} for n in range(3)])
    assert _data(cloudwatch, start, _query("m", namespace)) == {"m": [2.0, 1.0, 0.0]}
    ascending = _data(cloudwatch, start, _query("m", namespace), ScanBy="TimestampAscending")
    assert ascending == {"m": [0.0, 1.0, 2.0]}


def test_data_comes_in_pages(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(cloudwatch, namespace, *[{"Timestamp": start + 60 * n, "Value": float(n)} for n in range(5)])
    queries = [_query("a", namespace), _query("b", namespace, "Maximum")]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries, StartTime=start, EndTime=start + 3600, PaginationConfig={"PageSize": 3}
    )
    sizes = []
    values: dict[str, list[float]] = {"a": [], "b": []}
    for page in pages:
        sizes.append(sum(len(result["Values"]) for result in page["MetricDataResults"]))
        for result in page["MetricDataResults"]:
            values[result["Id"]] += result["Values"]
    assert sizes == [3, 3, 3, 1]
    assert values == {"a": [4.0, 3.0, 2.0, 1.0, 0.0], "b": [4.0, 3.0, 2.0, 1.0, 0.0]}


def test_expressions_calculate_with_other_queries(cloudwatch: Any, namespace: str, start: float) -> None:
    _put(cloudwatch, namespace, *[{"Timestamp": start + 60 * n, "Values": [float(n), 1.0]} for n in range(3)])
    found = _data(
        cloudwatch,
        start,
        {"Id": "twice", "Expression": "ratio * 2", "Label": "Twice"},
        {"Id": "ratio", "Expression": "(sum - 1) / -count ^ 1 + 3"},
        {"Id": "inverse", "Expression": "1 / (sum - 1)"},
        _query("sum", namespace, ReturnData=False),
        _query("count", namespace, "SampleCount", ReturnData=False),
    )
    assert found == {"twice": [4.0, 5.0, 6.0], "ratio": [2.0, 2.5, 3.0], "inverse": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("SUM(METRICS())", "it calls a function"),
        ("SELECT AVG(x) FROM y", "cannot be read"),
        ("m + unknown", "unknown cannot be resolved"),
        ("e * 2", "e cannot be resolved"),
        ("1 + 1", "not a time series"),
        ("9 ^ 9 ^ 9 * m", "has no value"),
        ("m.real", "not arithmetic"),
        ("m if m else m", "not arithmetic"),
        ("-" * 2000 + "m", "not valid"),
        ("(" * 300 + "m" + ")" * 300, "cannot be read"),
    ],
)
def test_what_an_expression_cannot_do_is_said(
    cloudwatch: Any, namespace: str, start: float, expression: str, message: str
) -> None:
    _put(cloudwatch, namespace, {"Timestamp": start, "Value": 1.0})
    with pytest.raises(ClientError, match=message) as error:
        _data(cloudwatch, start, _query("m", namespace), {"Id": "e", "Expression": expression})
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_metrics_are_listed_by_what_they_are(cloudwatch: Any, namespace: str) -> None:
    _put(cloudwatch, namespace, {"Value": 1.0, "Dimensions": _dimensions(job="a", host="x")}, {"Value": 1.0})
    listed = cloudwatch.list_metrics(Namespace=namespace)["Metrics"]
    assert [metric["Dimensions"] for metric in listed] == [_dimensions(job="a", host="x"), []]
    by_dimension = cloudwatch.list_metrics(
        Namespace=namespace, MetricName="loss", Dimensions=[{"Name": "job"}], RecentlyActive="PT3H"
    )
    assert len(by_dimension["Metrics"]) == 1
    assert cloudwatch.list_metrics(Namespace=namespace, Dimensions=_dimensions(job="b"))["Metrics"] == []


def test_many_metrics_are_listed_in_pages(cloudwatch: Any, namespace: str) -> None:
    data = [{"MetricName": f"m{number}", "Value": 1.0} for number in range(501)]
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
    pages = list(cloudwatch.get_paginator("list_metrics").paginate(Namespace=namespace))
    assert [len(page["Metrics"]) for page in pages] == [500, 1]


BAD_DATA: list[tuple[dict[str, Any], str]] = [
    ({}, "MissingParameter"),
    ({"Value": float("nan")}, "InvalidParameterValue"),
    ({"Value": 1e200}, "InvalidParameterValue"),
    ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
    ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
    ({"Values": [1.0], "Counts": [0.0]}, "InvalidParameterValue"),
    ({"StatisticValues": {"SampleCount": 1, "Sum": 1, "Minimum": 2, "Maximum": 1}}, "InvalidParameterValue"),
    ({"Value": 1.0, "Timestamp": 1_000_000_000}, "InvalidParameterValue"),
]


@pytest.mark.parametrize(("datum", "code"), BAD_DATA, ids=str)
def test_bad_data_is_refused_and_nothing_of_its_request_kept(
    cloudwatch: Any, namespace: str, datum: dict[str, Any], code: str
) -> None:
    with pytest.raises(ClientError) as error:
        _put(cloudwatch, namespace, {"Value": 1.0}, datum)
    assert error.value.response["Error"]["Code"] in (code, f"{code}Exception")
    assert cloudwatch.list_metrics(Namespace=namespace)["Metrics"] == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"Period": 61}, "multiple of 60"),
        ({"Period": 1}, "exceeds the limit of 1440"),
        ({"EndTime": 1}, "StartTime must be less than the parameter EndTime"),
        ({"ExtendedStatistics": ["p50"]}, "but not both"),
        ({"Statistics": None, "ExtendedStatistics": ["tm90"]}, "tm90"),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(
    cloudwatch: Any, namespace: str, start: float, options: dict[str, Any], message: str
) -> None:
    request = {"Statistics": ["Sum"], **options}
    with pytest.raises(ClientError, match=message):
        _statistics(
            cloudwatch, namespace, start, **{name: value for name, value in request.items() if value is not None}
        )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"EndTime": 1700000000}, "The parameter StartTime must not equal parameter EndTime"),
        ({"EndTime": 1}, "The parameter EndTime must be greater than StartTime"),
        ({"MetricDataQueries": []}, "The parameter MetricDataQueries is required"),
        ({"MetricDataQueries": [{"Id": "A", "Expression": "1"}]}, "must begin with a lowercase letter"),
        ({"MetricDataQueries": [{"Id": "a", "Expression": "b"}]}, "Error in expression 'a'"),
        ({"MetricDataQueries": [{"Id": f"a{n}", "Expression": "1"} for n in range(501)]}, "size greater than 500"),
    ],
)
def test_metric_data_has_one_code_for_what_makes_no_sense(
    cloudwatch: Any, options: dict[str, Any], message: str
) -> None:
    request = {"StartTime": 1700000000, "EndTime": 1700003600, "MetricDataQueries": [{"Id": "a", "Expression": "1"}]}
    with pytest.raises(ClientError, match=message) as error:
        cloudwatch.get_metric_data(**{**request, **options})
    assert error.value.response["Error"]["Code"] == "ValidationError"
