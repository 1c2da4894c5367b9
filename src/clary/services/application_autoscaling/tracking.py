"""Target tracking: the metric that is held at a value, and the two alarms that watch it.

    AlarmHigh  above the target for three periods            ─▶ scale out
    AlarmLow   below nine tenths of it for fifteen minutes   ─▶ scale in

Both are alarms as any other, which DescribeAlarms lists.
"""

import uuid
from typing import Any, NamedTuple

from clary.control.call import Call
from clary.records.record import Record
from clary.services.application_autoscaling.errors import invalid, not_built
from clary.services.application_autoscaling.resources import SCALABLE
from clary.services.cloudwatch.alarms.api import put_metric_alarm
from clary.services.cloudwatch.alarms.kind import ALARMS, alarm_arn

MINUTE = 60
HIGH_PERIODS, LOW_PERIODS = 3, 15
LOW_SHARE = 0.9


class Predefined(NamedTuple):
    name: str
    statistic: str
    period: int
    """Of AlarmHigh, in seconds."""


PREDEFINED = {
    "sagemaker:variant:DesiredInstanceCount": {
        "SageMakerVariantInvocationsPerInstance": Predefined("InvocationsPerInstance", "Sum", MINUTE),
        "SageMakerVariantConcurrentRequestsPerModelHighResolution": Predefined(
            "ConcurrentRequestsPerModel", "Average", 10
        ),
    },
    "sagemaker:inference-component:DesiredCopyCount": {
        "SageMakerInferenceComponentInvocationsPerCopy": Predefined("InvocationsPerCopy", "Sum", MINUTE),
        "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution": Predefined(
            "ConcurrentRequestsPerCopy", "Average", 10
        ),
    },
}
"""Metrics of AWS/SageMaker, by the dimension that is scaled by them."""


def check_tracking(target: Record, configuration: dict[str, Any]) -> None:
    predefined = configuration.get("PredefinedMetricSpecification")
    if (predefined is None) == ("CustomizedMetricSpecification" not in configuration):
        raise invalid("A target tracking policy has either a predefined or a customized metric specification.")
    if configuration["TargetValue"] <= 0:
        raise invalid("TargetValue must be greater than 0.")
    dimension = target.document["ScalableDimension"]
    if predefined is not None and predefined["PredefinedMetricType"] not in PREDEFINED[dimension]:
        raise not_built(f"Scaling of {dimension} by {predefined['PredefinedMetricType']}")
    _queries(target, configuration, MINUTE)


def put_alarms(call: Call, target: Record, policy: dict[str, Any]) -> list[dict[str, str]]:
    """Make or change the alarms of a policy; they keep their names."""
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    known_policy = target.document["Policies"].get(policy["PolicyName"], {})
    before = {alarm["AlarmName"] for alarm in known_policy.get("Alarms", [])}
    value = configuration["TargetValue"]
    predefined = _predefined(target, configuration)
    quick = predefined.period if predefined else MINUTE
    wanted = [("AlarmHigh", "GreaterThanThreshold", value, HIGH_PERIODS, quick)]
    if not configuration.get("DisableScaleIn"):
        wanted.append(("AlarmLow", "LessThanThreshold", value * LOW_SHARE, LOW_PERIODS, MINUTE))
    made = []
    for which, comparison, threshold, periods, period in wanted:
        known = [name for name in before if f"-{which}-" in name]
        name = known[0] if known else f"TargetTracking-{target.document['ResourceId']}-{which}-{uuid.uuid4()}"
        alarm = {
            "AlarmName": name,
            "AlarmDescription": f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy['PolicyARN']}.",
            "AlarmActions": [policy["PolicyARN"]],
            "ComparisonOperator": comparison,
            "Threshold": threshold,
            "EvaluationPeriods": periods,
            **_queries(target, configuration, period),
        }
        put_metric_alarm(call, alarm)
        made.append({"AlarmName": name, "AlarmARN": alarm_arn(call.scope, name)})
    drop_alarms(call, {"Alarms": [{"AlarmName": name} for name in before - {alarm["AlarmName"] for alarm in made}]})
    return made


def drop_alarms(call: Call, policy: dict[str, Any]) -> None:
    """Delete those of them that are still there."""
    for alarm in policy.get("Alarms", []):
        record = call.house.records.find(ALARMS, call.scope, alarm["AlarmName"])
        if record is not None:
            call.house.records.delete(record)


def _queries(target: Record, configuration: dict[str, Any], period: int) -> dict[str, Any]:
    """Members of PutMetricAlarm that name the metric."""
    metric = _predefined(target, configuration)
    if metric is not None:
        scalable = SCALABLE[target.document["ScalableDimension"]]
        values = scalable.values(target.document["ResourceId"])
        named = zip(scalable.dimensions, values, strict=True)
        return {
            "Namespace": "AWS/SageMaker",
            "MetricName": metric.name,
            "Dimensions": [{"Name": name, "Value": value} for name, value in named],
            "Statistic": metric.statistic,
            "Period": period,
        }
    customized = configuration["CustomizedMetricSpecification"]
    if "Metrics" in customized:
        return {"Metrics": [_with_period(query, period) for query in customized["Metrics"]]}
    for member in ("Namespace", "MetricName", "Statistic"):
        if member not in customized:
            raise invalid(f"A customized metric specification needs {member}.")
    return {"Dimensions": [], **customized, "Period": period}


def _predefined(target: Record, configuration: dict[str, Any]) -> Predefined | None:
    named = configuration.get("PredefinedMetricSpecification")
    return PREDEFINED[target.document["ScalableDimension"]][named["PredefinedMetricType"]] if named else None


def _with_period(query: dict[str, Any], period: int) -> dict[str, Any]:
    return {**query, "MetricStat": {**query["MetricStat"], "Period": period}} if "MetricStat" in query else query
