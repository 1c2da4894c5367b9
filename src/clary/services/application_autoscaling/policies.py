"""Scaling policies: step scaling, which the user's alarms set off, and target tracking, which makes its own alarms."""

import time
import uuid
from itertools import pairwise
from typing import Any

from clary.arns import regional_arn
from clary.control.call import Call
from clary.records.record import Record
from clary.services.application_autoscaling import operation
from clary.services.application_autoscaling.errors import described, invalid, not_built
from clary.services.application_autoscaling.paging import page_of
from clary.services.application_autoscaling.targets import TARGETS, find_target, targets_of
from clary.services.application_autoscaling.tracking import check_tracking, drop_alarms, put_alarms
from clary.services.cloudwatch.alarms.api import all_alarms
from clary.wire.errors import ServiceError

_STEP, _TRACKING = "StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration"


@operation("PutScalingPolicy")
def put_scaling_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    target, name = find_target(call, request), request["PolicyName"]
    before = target.document["Policies"].get(name, {})
    kind = request.get("PolicyType", before.get("PolicyType", "StepScaling"))
    policy = {
        "PolicyARN": before.get("PolicyARN") or _policy_arn(call, request),
        "PolicyName": name,
        "PolicyType": kind,
        "CreationTime": before.get("CreationTime", time.time()),
        **_configuration(target, request, kind, before),
    }
    # The alarms first: a policy without them would never act, and alarms without a policy wake nobody.
    alarms = put_alarms(call, target, policy) if kind == "TargetTrackingScaling" else []
    policies = {**target.document["Policies"], name: {**policy, "Alarms": alarms}}
    call.house.records.update(target, {**target.document, "Policies": policies})
    call.house.supervisor.wake(TARGETS, target.id)
    return {"PolicyARN": policy["PolicyARN"], "Alarms": alarms}


@operation("DeleteScalingPolicy")
def delete_scaling_policy(call: Call, request: dict[str, Any]) -> None:
    target, name = find_target(call, request), request["PolicyName"]
    policies = dict(target.document["Policies"])
    if name not in policies:
        message = f"No scaling policy found for {described(request)}, policy name: {name}"
        raise ServiceError("ObjectNotFoundException", message, 400)
    policy = policies.pop(name)
    call.house.records.update(target, {**target.document, "Policies": policies})
    drop_alarms(call, policy)


@operation("DeregisterScalableTarget")
def deregister_scalable_target(call: Call, request: dict[str, Any]) -> None:
    """With its policies and scheduled actions."""
    target = find_target(call, request)
    call.house.records.delete(target)
    for policy in target.document["Policies"].values():
        drop_alarms(call, policy)


@operation("DescribeScalingPolicies")
def describe_scaling_policies(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("PolicyNames")
    alarms = all_alarms(call)
    policies = [
        _told(target, policy, alarms)
        for target in targets_of(call, request)
        for policy in target.document["Policies"].values()
        if wanted is None or policy["PolicyName"] in wanted
    ]
    return page_of("ScalingPolicies", policies, request)


def _told(target: Record, policy: dict[str, Any], alarms: list[Record]) -> dict[str, Any]:
    of_target = {member: target.document[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
    acting = [alarm for alarm in alarms if policy["PolicyARN"] in alarm.document["AlarmActions"]]
    named = [{"AlarmName": alarm.name, "AlarmARN": alarm.arn} for alarm in acting]
    return {**of_target, **policy, "Alarms": named}


def _configuration(target: Record, request: dict[str, Any], kind: str, before: dict[str, Any]) -> dict[str, Any]:
    member = {"StepScaling": _STEP, "TargetTrackingScaling": _TRACKING}.get(kind)
    if member is None:
        raise not_built(f"A scaling policy of type {kind}")
    if before and before["PolicyType"] != kind:
        raise invalid("The type of a scaling policy cannot be changed: delete it and create another.")
    configuration = request.get(member, before.get(member))
    if configuration is None:
        raise invalid(f"{member} is required for a scaling policy of type {kind}.")
    if kind == "StepScaling":
        _check_steps(configuration)
    else:
        check_tracking(target, configuration)
    return {member: configuration}


def _check_steps(configuration: dict[str, Any]) -> None:
    if "AdjustmentType" not in configuration:
        raise invalid("AdjustmentType is required for a step scaling policy.")
    steps = configuration.get("StepAdjustments", [])
    if not steps:
        raise invalid("At least one step adjustment is required.")
    infinite = float("inf")
    bounds = sorted(
        (step.get("MetricIntervalLowerBound", -infinite), step.get("MetricIntervalUpperBound", infinite))
        for step in steps
    )
    if any(lower >= upper for lower, upper in bounds):
        raise invalid("The lower bound of a step adjustment must be less than its upper bound.")
    if any(first[1] != second[0] for first, second in pairwise(bounds)):
        raise invalid("Step adjustment intervals can't overlap or have a gap.")


def _policy_arn(call: Call, request: dict[str, Any]) -> str:
    where = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
    resource = f"scalingPolicy:{uuid.uuid4()}:{where}:policyName/{request['PolicyName']}"
    return regional_arn("autoscaling", call.scope.region, call.scope.account, resource)
