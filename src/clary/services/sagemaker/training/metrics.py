"""Metrics that a job prints: every log line is read with the regular expressions of `MetricDefinitions`.

The expressions are the user's, so each match has a time limit and lets other threads run meanwhile (`regex`; the
standard library's matcher can do neither). Metrics are kept after their lines: a kill in the moment between
leaves the lines without their values.
"""

import math
import time
from collections.abc import Sequence
from typing import Any

import regex

from clary.control.house import House
from clary.records.errors import Stale
from clary.records.record import Record

NAMESPACE = "/aws/sagemaker/TrainingJobs"
TIME_LIMIT = 0.1
"""Seconds for one line. An expression that takes longer is not tried on the rest of what was just printed."""
LONGEST_LINE = 4096
"""Characters of a line that are looked at."""


def record_metrics(house: House, record: Record, lines: Sequence[str]) -> Record:
    """Keep what the lines say of the job's metrics: each value in CloudWatch, the last ones on the record."""
    definitions = record.document["AlgorithmSpecification"].get("MetricDefinitions", [])
    if not definitions or not lines:
        return record
    now = time.time()
    last: dict[str, dict[str, Any]] = {}
    for definition in definitions:
        name = definition["Name"]
        for value in _values(definition["Regex"], lines):
            house.metrics.add(record.scope, NAMESPACE, name, {"TrainingJobName": record.name}, now, value)
            last[name] = {"MetricName": name, "Value": value, "Timestamp": now}
    return _keep_last(house, record, last) if last else record


def _keep_last(house: House, record: Record, last: dict[str, dict[str, Any]]) -> Record:
    """The record with these among its final metrics, also where it was changed meanwhile."""
    while True:
        known = {metric["MetricName"]: metric for metric in record.document.get("FinalMetricDataList", [])}
        document = {**record.document, "FinalMetricDataList": list({**known, **last}.values())}
        try:
            return house.records.update(record, document)
        except Stale:
            record = house.records.load(record.id)


def check_expressions(definitions: list[dict[str, Any]]) -> None:
    """Raises `ValueError` with the words for the user where one cannot be read."""
    for definition in definitions:
        try:
            regex.compile(definition["Regex"])
        except regex.error as error:
            name = definition["Name"]
            raise ValueError(f"The regular expression of the metric {name} is not valid: {error}") from None


def _values(expression: str, lines: Sequence[str]) -> list[float]:
    pattern = regex.compile(expression)
    found: list[float] = []
    for line in lines:
        try:
            match = pattern.search(line[:LONGEST_LINE], timeout=TIME_LIMIT, concurrent=True)
        except TimeoutError:
            return found
        if match is not None and match.re.groups:
            try:
                value = float(match[1])
            except (TypeError, ValueError):
                continue
            if math.isfinite(value):
                found.append(value)
    return found
