"""Metrics that a job prints: every log line is read with the regular expressions of `MetricDefinitions`.

The expressions are the user's, so each match has a time limit and lets other threads run meanwhile (`regex`; the
standard library's matcher can do neither). A value's time is its line's.
"""

import math
from typing import Any

import regex

from clary.records.log_rows import Lines
from clary.records.metrics import Sample, Series
from clary.records.record import Record
from clary.services.sagemaker.jobs.base import Findings

NAMESPACE = "/aws/sagemaker/TrainingJobs"
TIME_LIMIT = 0.1
"""Seconds for one line. An expression that takes longer is not tried on the rest of what was just printed."""
LONGEST_LINE = 4096
"""Characters of a line that are looked at."""


def find_metrics(record: Record, lines: Lines) -> Findings:
    """What the lines say of the job's metrics: each value for CloudWatch, the last ones for the job itself."""
    definitions = record.document["AlgorithmSpecification"].get("MetricDefinitions", [])
    samples: list[tuple[Series, Sample]] = []
    last = {metric["MetricName"]: metric for metric in record.document.get("FinalMetricDataList", [])}
    for definition in definitions:
        name = definition["Name"]
        series = Series(NAMESPACE, name, {"TrainingJobName": record.name})
        for at, value in _values(definition["Regex"], lines):
            samples.append((series, Sample.of(at, value)))
            last[name] = {"MetricName": name, "Value": value, "Timestamp": at}
    return Findings(samples, {"FinalMetricDataList": list(last.values())} if samples else {})


def check_expressions(definitions: list[dict[str, Any]]) -> None:
    """Raises `ValueError` with the words for the user where one cannot be read."""
    for definition in definitions:
        try:
            regex.compile(definition["Regex"])
        except regex.error as error:
            name = definition["Name"]
            raise ValueError(f"The regular expression of the metric {name} is not valid: {error}") from None


def _values(expression: str, lines: Lines) -> list[tuple[float, float]]:
    """With the times of their lines."""
    pattern = regex.compile(expression)
    found: list[tuple[float, float]] = []
    for at, line in lines:
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
                found.append((at, value))
    return found
