"""Metrics that a job prints: every log line is read with the regular expressions of `MetricDefinitions`."""

import re
import time
from typing import Any

from clary.records.record import Record
from clary.services.house import House

NAMESPACE = "/aws/sagemaker/TrainingJobs"


def record_metrics(house: House, record: Record, lines: list[str]) -> Record:
    """Keep what the lines say of the job's metrics: each value in CloudWatch, the last ones on the record."""
    definitions = record.document["AlgorithmSpecification"].get("MetricDefinitions", [])
    if not definitions or not lines:
        return record
    now = time.time()
    final = {metric["MetricName"]: metric for metric in record.document.get("FinalMetricDataList", [])}
    for name, value in _values(definitions, lines):
        house.metrics.add(record.scope, NAMESPACE, name, {"TrainingJobName": record.name}, now, value)
        final[name] = {"MetricName": name, "Value": value, "Timestamp": now}
    if not final:
        return record
    return house.records.update(record, {**record.document, "FinalMetricDataList": list(final.values())})


def _values(definitions: list[dict[str, Any]], lines: list[str]) -> list[tuple[str, float]]:
    found = []
    for definition in definitions:
        pattern = re.compile(definition["Regex"])
        for line in lines:
            match = pattern.search(line)
            if match is None or not match.groups():
                continue
            try:
                found.append((definition["Name"], float(match[1])))
            except (TypeError, ValueError):
                continue
    return found
