"""What became of the training jobs of a tuning job."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from clary.control.house import House
from clary.records.metrics import Series
from clary.records.record import Record
from clary.services.sagemaker.training.kind import TRAINING_JOB
from clary.services.sagemaker.training.metrics import NAMESPACE
from clary.services.sagemaker.tuning.definitions import Definition

TUNED = "TunedHyperParameters"
"""Of a child's document: the values that it was given. Not told of a training job."""
DEFINED_BY = "TrainingJobDefinitionName"
RETRYABLE = "InternalServerError"


@dataclass(frozen=True, slots=True)
class Trial:
    number: int
    """From 1 on, in the order in which they were started."""
    record: Record
    objective: float | None
    """The last value of the metric that the job printed."""

    @property
    def live(self) -> bool:
        return self.record.state.status in TRAINING_JOB.live

    @property
    def values(self) -> dict[str, str]:
        found: dict[str, str] = self.record.document[TUNED]
        return found

    @property
    def defined_by(self) -> str:
        name: str = self.record.document.get(DEFINED_BY, "")
        return name

    @property
    def objective_status(self) -> Literal["Succeeded", "Pending", "Failed"]:
        if self.live:
            return "Pending"
        ended_well = self.record.state.status in ("Completed", "Stopped")
        return "Succeeded" if ended_well and self.objective is not None else "Failed"

    @property
    def ended(self) -> float:
        at: float = self.record.document.get("TrainingEndTime", self.record.modified)
        return at


def trials_of(house: House, parent: Record, definitions: Sequence[Definition]) -> list[Trial]:
    """In the order of their numbers."""
    metrics = {each.name: each.metric for each in definitions}
    found = [
        Trial(number_of(child), child, _objective(child, metrics.get(child.document.get(DEFINED_BY, ""), "")))
        for child in house.records.children(parent, TRAINING_JOB)
    ]
    return sorted(found, key=lambda trial: trial.number)


def number_of(child: Record) -> int:
    """`tuning-007-0a1b2c3d` is the seventh."""
    return int(child.name.split("-")[-2])


def values_over_time(house: House, trial: Trial, metric: str) -> list[float]:
    """Each value of the metric that the job printed, in their order."""
    series = Series(NAMESPACE, metric, {"TrainingJobName": trial.record.name})
    return [sample.sum / sample.count for sample in house.metrics.samples(trial.record.scope, series, 0, math.inf)]


def best(trials: Iterable[Trial], definition: Definition) -> Trial | None:
    """Of those whose objective counts."""
    chosen: Trial | None = None
    for trial in trials:
        if trial.objective_status != "Succeeded" or trial.objective is None:
            continue
        if chosen is None or chosen.objective is None or definition.better(trial.objective, chosen.objective):
            chosen = trial
    return chosen


def summary(trial: Trial, definition: Definition, tuning_job: str = "") -> dict[str, Any]:
    """`HyperParameterTrainingJobSummary`"""
    record = trial.record
    told: dict[str, Any] = {
        "TrainingJobName": record.name,
        "TrainingJobArn": record.arn,
        "CreationTime": record.created,
        "TrainingJobStatus": record.state.status,
        TUNED: trial.values,
        "ObjectiveStatus": trial.objective_status,
    }
    for member in ("TrainingStartTime", "TrainingEndTime", "FailureReason", DEFINED_BY):
        if record.document.get(member):
            told[member] = record.document[member]
    if tuning_job:
        told["TuningJobName"] = tuning_job
    if trial.objective is not None:
        told["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": "Minimize" if definition.minimize else "Maximize",
            "MetricName": definition.metric,
            "Value": trial.objective,
        }
    return told


def counters(trials: Sequence[Trial]) -> dict[str, dict[str, int]]:
    """`TrainingJobStatusCounters` and `ObjectiveStatusCounters`"""
    failed = [trial for trial in trials if trial.record.state.status == "Failed"]
    retryable = sum(trial.record.document.get("FailureReason", "").startswith(RETRYABLE) for trial in failed)

    def count(*statuses: str) -> int:
        return sum(trial.record.state.status in statuses for trial in trials)

    return {
        "TrainingJobStatusCounters": {
            "Completed": count("Completed"),
            "InProgress": count("InProgress", "Stopping"),
            "RetryableError": retryable,
            "NonRetryableError": len(failed) - retryable,
            "Stopped": count("Stopped"),
        },
        "ObjectiveStatusCounters": {
            status: sum(trial.objective_status == status for trial in trials)
            for status in ("Succeeded", "Pending", "Failed")
        },
    }


def _objective(child: Record, metric: str) -> float | None:
    for found in child.document.get("FinalMetricDataList", []):
        if found["MetricName"] == metric and math.isfinite(found["Value"]):
            return float(found["Value"])
    return None
