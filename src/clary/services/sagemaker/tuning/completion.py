"""Whether a tuning job is to end before it has started all its training jobs (`TuningJobCompletionCriteria`)."""

from collections.abc import Sequence
from typing import Any

from clary.services.sagemaker.tuning.definitions import Definition
from clary.services.sagemaker.tuning.trials import Trial

BETTER = 0.01
"""The share by which an objective must be better to be an improvement, as AWS documents it."""
CONVERGED = 10
"""Jobs in a row without an improvement that are taken for convergence; twice the number of parameters, where that is
more. AWS tells no rule of its own."""
FAILURES = 5
"""Failed jobs, with none that succeeded, after which a tuning job fails."""


def not_improving(trials: Sequence[Trial], definition: Definition) -> int:
    """How many jobs ended since the last that was better than all before it by `BETTER`."""
    reference: float | None = None
    since = 0
    for trial in sorted((each for each in trials if each.objective_status == "Succeeded"), key=lambda each: each.ended):
        value = trial.objective
        assert value is not None
        if reference is None or (
            definition.better(value, reference) and abs(value - reference) >= BETTER * abs(reference)
        ):
            reference, since = value, 0
        else:
            since += 1
    return since


def criterion_met(config: dict[str, Any], trials: Sequence[Trial], definition: Definition) -> str:
    """Why the job is complete; empty where it is not."""
    criteria = config.get("TuningJobCompletionCriteria", {})
    target = criteria.get("TargetObjectiveMetricValue")
    if target is not None and any(
        trial.objective is not None and not definition.better(target, trial.objective)
        for trial in trials
        if trial.objective_status == "Succeeded"
    ):
        return "TargetObjectiveMetricValue"
    since = not_improving(trials, definition)
    limit = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    if limit is not None and since >= limit:
        return "BestObjectiveNotImproving"
    converges = criteria.get("ConvergenceDetected", {}).get("CompleteOnConvergence") == "Enabled"
    if converges and since >= max(CONVERGED, 2 * len(definition.space)):
        return "ConvergenceDetected"
    return ""


def has_failed(trials: Sequence[Trial]) -> bool:
    statuses = [trial.objective_status for trial in trials]
    return "Succeeded" not in statuses and statuses.count("Failed") >= FAILURES
