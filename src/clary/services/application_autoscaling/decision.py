"""How much capacity a policy asks for: functions of its configuration, what there is and what the metric says."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

DEFAULT_COOLDOWN = 300


class Ringing(NamedTuple):
    """An alarm of a policy that is in ALARM."""

    name: str
    value: float
    """Of its metric, at last."""
    threshold: float


def tracked(policy: dict[str, Any], capacity: int, high: Sequence[Ringing], low: Sequence[Ringing]) -> int:
    """What would bring the metric to its target, where it falls with capacity in proportion."""
    target: float = policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]
    if high and high[0].value > target:
        # From nothing, proportion leads nowhere.
        return max(capacity + 1, math.ceil(capacity * high[0].value / target - 1e-9))
    if low and low[0].value < target:
        return min(capacity - 1, math.ceil(capacity * low[0].value / target - 1e-9))
    return capacity


def stepped(policy: dict[str, Any], capacity: int, ringing: Ringing) -> int:
    """What the step adjustment says within whose bounds the metric is beyond the alarm's threshold."""
    configuration = policy["StepScalingPolicyConfiguration"]
    beyond = ringing.value - ringing.threshold
    for step in configuration["StepAdjustments"]:
        lower = step.get("MetricIntervalLowerBound", -math.inf)
        upper = step.get("MetricIntervalUpperBound", math.inf)
        # Above the threshold the lower bound belongs to a step, below it the upper, and at it both.
        if lower < beyond < upper or beyond == (lower if beyond > 0 else upper) or (beyond == 0 == lower):
            return _adjusted(configuration, capacity, step["ScalingAdjustment"])
    return capacity


def cooldowns(policy: dict[str, Any]) -> tuple[float, float]:
    """Seconds, after scaling out and after scaling in."""
    step = policy.get("StepScalingPolicyConfiguration")
    if step is not None:
        return step.get("Cooldown", DEFAULT_COOLDOWN), step.get("Cooldown", DEFAULT_COOLDOWN)
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    return tracking.get("ScaleOutCooldown", DEFAULT_COOLDOWN), tracking.get("ScaleInCooldown", DEFAULT_COOLDOWN)


def _adjusted(configuration: dict[str, Any], capacity: int, adjustment: int) -> int:
    kind = configuration["AdjustmentType"]
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return capacity + adjustment
    change = capacity * adjustment / 100
    # Towards zero, but never to nothing.
    whole = math.trunc(change) or int(math.copysign(1, change)) if change else 0
    least = configuration.get("MinAdjustmentMagnitude", 0)
    if change and abs(whole) < least:
        whole = int(math.copysign(least, change))
    return capacity + whole
