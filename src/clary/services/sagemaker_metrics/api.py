"""BatchPutMetrics."""

import math
import time
from dataclasses import asdict
from typing import Any

from clary.control.call import Call
from clary.records.metrics import Sample, Series
from clary.services.sagemaker.experiments.components import MOMENTS, TRIAL_COMPONENTS
from clary.services.sagemaker.experiments.moments import Moments
from clary.services.sagemaker.resources.handling import find
from clary.services.sagemaker_metrics import operation

NAMESPACE = "/aws/sagemaker/TrialComponents"
"""Of the metric store, where each value is kept."""
OLDEST, NEWEST = 14 * 24 * 3600, 2 * 3600
"""Seconds before and after now within which a value's time must lie."""
MOST_METRICS = 500
"""Names in one trial component, whose record has a line for each."""


@operation("BatchPutMetrics")
def batch_put_metrics(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What cannot be kept is told by its index; the rest is kept all the same."""
    records, now = call.house.records, time.time()
    errors, samples = [], []
    with records.together():
        component = find(call, TRIAL_COMPONENTS, request["TrialComponentName"])
        kept = {name: Moments(**moments) for name, moments in component.document.get(MOMENTS, {}).items()}
        for index, datum in enumerate(request["MetricData"]):
            name, at, value = datum["MetricName"], datum["Timestamp"], datum["Value"]
            if not (math.isfinite(value) and now - OLDEST <= at <= now + NEWEST):
                errors.append({"Code": "VALIDATION_ERROR", "MetricIndex": index})
            elif name not in kept and len(kept) == MOST_METRICS:
                errors.append({"Code": "METRIC_LIMIT_EXCEEDED", "MetricIndex": index})
            else:
                kept.setdefault(name, Moments()).add(at, value)
                series = Series(NAMESPACE, name, {"TrialComponentName": component.name})
                samples.append((series, Sample.of(at, value, step=datum.get("Step"))))
        if samples:
            call.house.metrics.put(call.scope, samples)
            moments = {name: asdict(each) for name, each in kept.items()}
            records.update(component, {**component.document, MOMENTS: moments})
    return {"Errors": errors} if errors else {}
