"""The metrics of asynchronous endpoints.

Source: "Alarms and logs for tracking metrics from asynchronous endpoints" of the SageMaker developer guide.
"""

import time
from collections.abc import Mapping

from clary.control.house import House
from clary.records.metrics import Sample, Series
from clary.records.record import Scope

NAMESPACE = "AWS/SageMaker"
_UNITS = {
    "ModelLatency": "Microseconds",
    "RequestDownloadLatency": "Microseconds",
    "ResponseUploadLatency": "Microseconds",
    "TimeInBacklog": "Milliseconds",
    "TotalProcessingTime": "Milliseconds",
    "ApproximateAgeOfOldestRequest": "Seconds",
}
"""All others are counts."""


def keep_request(house: House, scope: Scope, endpoint: str, variant: str, measured: Mapping[str, float]) -> None:
    """What was measured of one invocation."""
    _keep(house, scope, {"EndpointName": endpoint, "VariantName": variant}, measured)


def keep_backlog(house: House, scope: Scope, endpoint: str, size: int, age: float, instances: int) -> None:
    measured: dict[str, float] = {
        "ApproximateBacklogSize": size,
        "HasBacklogWithoutCapacity": size > 0 and instances == 0,
        "ApproximateAgeOfOldestRequest": age,
    }
    if instances:
        measured["ApproximateBacklogSizePerInstance"] = size / instances
    _keep(house, scope, {"EndpointName": endpoint}, measured)


def _keep(house: House, scope: Scope, dimensions: Mapping[str, str], measured: Mapping[str, float]) -> None:
    now = time.time()
    house.metrics.put(
        scope,
        [
            (Series(NAMESPACE, name, dimensions), Sample.of(now, float(value), _UNITS.get(name, "Count")))
            for name, value in measured.items()
        ],
    )
