"""What the metrics operations read alike from their requests."""

import math
import time
from typing import Any

from clary.records.metrics import Sample, Series
from clary.services.cloudwatch.errors import bad_combination, bad_value, missing

LARGEST = 2.0**360
_DAY = 24 * 3600
_HOUR = 3600


def series_of(metric: dict[str, Any]) -> Series:
    """From `Namespace`, `MetricName` and `Dimensions`."""
    dimensions = {each["Name"]: each["Value"] for each in metric.get("Dimensions", [])}
    return Series(metric["Namespace"], metric["MetricName"], dimensions)


def samples_of(datum: dict[str, Any], member: str) -> list[Sample]:
    """What one `MetricDatum` reports; `member` is its name in error messages."""
    now = time.time()
    at = datum.get("Timestamp", now)
    if not now - 14 * _DAY <= at <= now + 2 * _HOUR:
        raise bad_value(
            f"The parameter {member}.Timestamp must specify a time no more than two weeks in the past and no more "
            "than two hours in the future."
        )
    unit = datum.get("Unit", "None")
    given = [name for name in ("Value", "Values", "StatisticValues") if name in datum]
    if not given:
        raise missing(
            f"At least one of the parameters {member}.Value, {member}.Values and {member}.StatisticValues must be "
            "specified."
        )
    if len(given) > 1:
        raise bad_combination(
            f"The parameters {member}.{given[0]} and {member}.{given[1]} are mutually exclusive and you have "
            "specified both."
        )
    if "Value" in datum:
        return [Sample.of(at, _number(datum["Value"], f"{member}.Value"), unit)]
    if "StatisticValues" in datum:
        return [_statistic_set(datum["StatisticValues"], at, unit, f"{member}.StatisticValues")]
    values, counts = datum["Values"], datum.get("Counts", [1.0] * len(datum["Values"]))
    if len(values) != len(counts):
        raise bad_value(f"The parameters {member}.Values and {member}.Counts must be of the same size.")
    return [
        Sample.of(at, _number(value, f"{member}.Values"), unit, _count(count, f"{member}.Counts"))
        for value, count in zip(values, counts, strict=True)
    ]


def _statistic_set(given: dict[str, float], at: float, unit: str, member: str) -> Sample:
    sample = Sample(
        at,
        _count(given["SampleCount"], f"{member}.SampleCount"),
        _number(given["Sum"], f"{member}.Sum"),
        _number(given["Minimum"], f"{member}.Minimum"),
        _number(given["Maximum"], f"{member}.Maximum"),
        unit,
    )
    if sample.minimum > sample.maximum:
        raise bad_value(f"The parameter {member}.Maximum must be greater than or equal to {member}.Minimum.")
    return sample


def _count(value: float, member: str) -> float:
    if not _number(value, member) > 0:
        raise bad_value(f"The parameter {member} must be greater than 0.")
    return value


def _number(value: float, member: str) -> float:
    if not math.isfinite(value) or abs(value) > LARGEST:
        raise bad_value(f"The value {value} for parameter {member} is invalid.")
    return value
