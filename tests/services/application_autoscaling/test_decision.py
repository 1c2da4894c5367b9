"""What policies ask for, on numbers alone."""

from typing import Any

import pytest

from clary.services.application_autoscaling.decision import Ringing, stepped, tracked

TRACKING = {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 10.0}}


def ringing(value: float, threshold: float = 10.0) -> Ringing:
    return Ringing("alarm", value, threshold)


@pytest.mark.parametrize(
    ("capacity", "value", "wanted"),
    [(2, 50.0, 10), (2, 10.1, 3), (0, 1e9, 1), (4, 25.0, 10)],
)
def test_tracking_scales_out_in_proportion(capacity: int, value: float, wanted: int) -> None:
    assert tracked(TRACKING, capacity, [ringing(value)], []) == wanted


@pytest.mark.parametrize(("capacity", "value", "wanted"), [(10, 2.0, 2), (10, 8.9, 9), (2, 0.0, 0)])
def test_tracking_scales_in_in_proportion(capacity: int, value: float, wanted: int) -> None:
    assert tracked(TRACKING, capacity, [], [ringing(value, 9.0)]) == wanted


def test_tracking_stays_where_the_metric_came_back() -> None:
    assert tracked(TRACKING, 3, [ringing(9.5)], []) == 3


def step(adjustment: int, lower: float | None = None, upper: float | None = None) -> dict[str, Any]:
    bounds = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper}
    return {"ScalingAdjustment": adjustment, **{name: each for name, each in bounds.items() if each is not None}}


@pytest.mark.parametrize(
    ("kind", "value", "capacity", "wanted"),
    [
        ("ChangeInCapacity", 12.0, 4, 5),
        ("ChangeInCapacity", 25.0, 4, 7),
        ("ChangeInCapacity", 10.0, 4, 5),
        ("ExactCapacity", 25.0, 4, 3),
        ("PercentChangeInCapacity", 25.0, 200, 206),
        ("PercentChangeInCapacity", 25.0, 4, 5),
    ],
)
def test_the_step_is_the_one_that_the_metric_is_in(kind: str, value: float, capacity: int, wanted: int) -> None:
    steps = [step(1, lower=0.0, upper=10.0), step(3, lower=10.0)]
    policy = {"StepScalingPolicyConfiguration": {"AdjustmentType": kind, "StepAdjustments": steps}}
    assert stepped(policy, capacity, ringing(value)) == wanted


def test_a_percentage_has_a_least_magnitude_and_rounds_towards_zero() -> None:
    steps = [step(-25, upper=0.0)]
    configuration = {"AdjustmentType": "PercentChangeInCapacity", "StepAdjustments": steps}
    policy = {"StepScalingPolicyConfiguration": configuration}
    assert stepped(policy, 7, ringing(5.0)) == 6
    assert stepped(policy, 2, ringing(5.0)) == 1
    configuration["MinAdjustmentMagnitude"] = 3
    assert stepped(policy, 7, ringing(10.0)) == 4
