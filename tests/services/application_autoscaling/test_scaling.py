"""Scaling of an endpoint through boto3, on metrics that were just put."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique, wait_until
from tests.services.sagemaker.hosting.test_components import Hosts
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

MINUTE = 60


class Scaled:
    """A variant that is a scalable target, and a metric to scale it by."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.scaling = endpoint.platform.client("application-autoscaling")
        self.cloudwatch = endpoint.platform.client("cloudwatch")
        self.namespace = unique("Load")
        self.key = {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{endpoint.name}/variant/A",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }

    def register(self, **options: Any) -> str:
        arn: str = self.scaling.register_scalable_target(**self.key, **options)["ScalableTargetARN"]
        return arn

    def measure(self, value: float) -> None:
        """In each of the last 17 minutes that are over: what alarms look at."""
        this = time.time() // MINUTE * MINUTE
        data = [{"MetricName": "load", "Timestamp": this - MINUTE * n + 1, "Value": value} for n in range(1, 18)]
        self.cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=data)

    def track(self, target: float, **options: Any) -> dict[str, Any]:
        metric = {"Namespace": self.namespace, "MetricName": "load", "Statistic": "Average"}
        made: dict[str, Any] = self.scaling.put_scaling_policy(
            **self.key,
            PolicyName="track",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": target,
                "CustomizedMetricSpecification": metric,
                "ScaleOutCooldown": 0,
                "ScaleInCooldown": 0,
                **options,
            },
        )
        return made

    def activities(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.scaling.describe_scaling_activities(ServiceNamespace="sagemaker")[
            "ScalingActivities"
        ]
        return [each for each in found if each["ResourceId"] == self.key["ResourceId"]]

    def comes_to(self, count: int) -> dict[str, Any]:
        """The last activity, once it has brought the variant to so many instances."""

        def look() -> dict[str, Any] | None:
            last = self.activities()[:1]
            (variant,) = self.endpoint.sagemaker.describe_endpoint(EndpointName=self.endpoint.name)[
                "ProductionVariants"
            ]
            there = variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] == count
            return last[0] if there and last and last[0]["StatusCode"] == "Successful" else None

        found: dict[str, Any] = wait_until(look)
        return found


@pytest.fixture(scope="module")
def endpoint(platform: Platform) -> Iterator[Endpoint]:
    made = Endpoint(platform)
    assert made.create(made.config(("A", made.model("hello"), 1.0)))["EndpointStatus"] == "InService"
    yield made
    made.delete()


@pytest.fixture
def scaled(endpoint: Endpoint) -> Iterator[Scaled]:
    made = Scaled(endpoint)
    made.register(MinCapacity=1, MaxCapacity=3)
    yield made
    made.scaling.deregister_scalable_target(**made.key)
    assert not made.cloudwatch.describe_alarms(AlarmNamePrefix=f"TargetTracking-{made.key['ResourceId']}")[
        "MetricAlarms"
    ]


def test_a_target_is_brought_within_its_bounds(scaled: Scaled) -> None:
    arn = scaled.register(MinCapacity=2, MaxCapacity=2, Tags={"team": "a"})
    (target,) = scaled.scaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[scaled.key["ResourceId"]]
    )["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (2, 2, arn)
    assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint" in target["RoleARN"]
    activity = scaled.comes_to(2)
    assert activity["Description"] == "Setting desired instance count to 2."
    assert activity["Cause"] == "minimum capacity was set to 2"
    scaled.scaling.tag_resource(ResourceARN=arn, Tags={"cost": "b"})
    assert scaled.scaling.list_tags_for_resource(ResourceARN=arn)["Tags"]["cost"] == "b"


def test_tracking_follows_its_metric_out_and_in(scaled: Scaled) -> None:
    scaled.register(MinCapacity=1, MaxCapacity=1)
    scaled.comes_to(1)
    scaled.register(MaxCapacity=3)
    scaled.measure(25.0)
    made = scaled.track(10.0)
    activity = scaled.comes_to(3)
    high, low = sorted(alarm["AlarmName"] for alarm in made["Alarms"])
    assert activity["Cause"] == f"monitor alarm {high} in state ALARM triggered policy track"
    assert high.startswith(f"TargetTracking-{scaled.key['ResourceId']}-AlarmHigh-")
    (alarm,) = scaled.cloudwatch.describe_alarms(AlarmNames=[low])["MetricAlarms"]
    assert (alarm["EvaluationPeriods"], alarm["Threshold"]) == (15, 9.0)
    scaled.namespace = unique("Quiet")
    scaled.measure(2.0)
    scaled.track(10.0, DisableScaleIn=True)
    assert len(scaled.scaling.describe_scaling_policies(**scaled.key)["ScalingPolicies"][0]["Alarms"]) == 1
    scaled.track(10.0)
    scaled.comes_to(1)


def test_a_step_is_taken_by_the_users_own_alarm_and_then_cools_down(scaled: Scaled) -> None:
    policy = scaled.scaling.put_scaling_policy(
        **scaled.key,
        PolicyName="step",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "StepAdjustments": [
                {"MetricIntervalLowerBound": 0, "MetricIntervalUpperBound": 10, "ScalingAdjustment": 1},
                {"MetricIntervalLowerBound": 10, "ScalingAdjustment": 5},
            ],
            "Cooldown": 600,
        },
    )
    scaled.measure(15.0)
    name = unique("alarm")
    scaled.cloudwatch.put_metric_alarm(
        AlarmName=name,
        Namespace=scaled.namespace,
        MetricName="load",
        Statistic="Average",
        Period=MINUTE,
        EvaluationPeriods=1,
        Threshold=10.0,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[policy["PolicyARN"]],
    )
    assert name in scaled.comes_to(2)["Cause"]
    (described,) = scaled.scaling.describe_scaling_policies(ServiceNamespace="sagemaker", PolicyNames=["step"])[
        "ScalingPolicies"
    ]
    assert [alarm["AlarmName"] for alarm in described["Alarms"]] == [name]
    history = scaled.cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")["AlarmHistoryItems"]
    assert history[0]["HistorySummary"].startswith("Successfully executed action")
    scaled.scaling.put_scaling_policy(
        **scaled.key,
        PolicyName="step",
        StepScalingPolicyConfiguration=described["StepScalingPolicyConfiguration"],
    )
    assert len(scaled.activities()) == 1
    scaled.cloudwatch.delete_alarms(AlarmNames=[name])


def test_a_scheduled_action_changes_the_bounds_at_its_time(scaled: Scaled) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    scaled.scaling.put_scheduled_action(
        **scaled.key,
        ScheduledActionName="evening",
        Schedule=f"at({soon:%Y-%m-%dT%H:%M:%S})",
        ScalableTargetAction={"MinCapacity": 3, "MaxCapacity": 3},
    )
    (action,) = scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    assert action["ScheduledActionName"] == "evening"
    assert scaled.comes_to(3)["Cause"] == "scheduled action name evening was triggered"
    scaled.scaling.delete_scheduled_action(**scaled.key, ScheduledActionName="evening")
    assert not scaled.scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]


def test_what_cannot_be_scaled_is_refused(scaled: Scaled) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint nowhere"):
        scaled.scaling.register_scalable_target(
            **{**scaled.key, "ResourceId": "endpoint/nowhere/variant/A"}, MinCapacity=1, MaxCapacity=1
        )
    with pytest.raises(ClientError, match="Maximum capacity cannot be less"):
        scaled.register(MinCapacity=5)
    with pytest.raises(ClientError, match="not built"):
        scaled.scaling.put_scaling_policy(**scaled.key, PolicyName="p", PolicyType="PredictiveScaling")
    with pytest.raises(ClientError, match="Scaling of ecs:service:DesiredCount is not built"):
        scaled.scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/a/b",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=1,
            MaxCapacity=1,
        )
    with pytest.raises(scaled.scaling.exceptions.ObjectNotFoundException, match="No scaling policy found"):
        scaled.scaling.delete_scaling_policy(**scaled.key, PolicyName="nothing")


def test_copies_of_a_component_are_scaled_to_none_and_back(platform: Platform) -> None:
    hosts = Hosts(platform)
    name, model = unique("component"), hosts.model("copied")
    assert hosts.component(name, ModelName=model)["InferenceComponentStatus"] == "InService"
    scaling = platform.client("application-autoscaling")
    key = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"inference-component/{name}",
        "ScalableDimension": "sagemaker:inference-component:DesiredCopyCount",
    }

    def copies(count: int) -> bool:
        told = hosts.sagemaker.describe_inference_component(InferenceComponentName=name)
        return bool(told["RuntimeConfig"] == {"DesiredCopyCount": count, "CurrentCopyCount": count})

    scaling.register_scalable_target(**key, MinCapacity=0, MaxCapacity=0)
    wait_until(lambda: copies(0))
    with pytest.raises(ClientError, match="No instance of"):
        hosts.ask("x", InferenceComponentName=name)
    scaling.register_scalable_target(**key, MinCapacity=2, MaxCapacity=2)
    wait_until(lambda: copies(2))
    scaling.put_scaling_policy(
        **key,
        PolicyName="track",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 10.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerInferenceComponentInvocationsPerCopy"},
        },
    )
    (high, _) = platform.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"TargetTracking-{key['ResourceId']}")[
        "MetricAlarms"
    ]
    assert (high["MetricName"], high["Dimensions"][0]["Name"]) == ("InvocationsPerCopy", "InferenceComponentName")
    scaling.deregister_scalable_target(**key)
    hosts.sagemaker.delete_inference_component(InferenceComponentName=name)
    wait_until(lambda: not hosts.names())
    hosts.delete()
