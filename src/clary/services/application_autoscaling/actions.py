"""Scheduled actions: at their times they change the bounds of a target, and so its capacity."""

import time
import uuid
from typing import Any
from zoneinfo import ZoneInfoNotFoundError

from clary.arns import regional_arn
from clary.control.call import Call
from clary.services.application_autoscaling import operation
from clary.services.application_autoscaling.errors import described, invalid
from clary.services.application_autoscaling.paging import page_of
from clary.services.application_autoscaling.schedules import next_time
from clary.services.application_autoscaling.targets import TARGETS, find_target, targets_of
from clary.wire.errors import ServiceError

_KEPT = ("Schedule", "Timezone", "StartTime", "EndTime", "ScalableTargetAction")


@operation("PutScheduledAction")
def put_scheduled_action(call: Call, request: dict[str, Any]) -> None:
    target, name, now = find_target(call, request), request["ScheduledActionName"], time.time()
    before = target.document["Actions"].get(name, {})
    kept = {member: request[member] for member in _KEPT if member in request}
    where = f"resource/{request['ServiceNamespace']}/{request['ResourceId']}"
    resource = f"scheduledAction:{uuid.uuid4()}:{where}:scheduledActionName/{name}"
    action = {
        "ScheduledActionName": name,
        "ScheduledActionARN": regional_arn("autoscaling", call.scope.region, call.scope.account, resource),
        "CreationTime": now,
        **before,
        **kept,
        "After": now,
    }
    if "Schedule" not in action or "ScalableTargetAction" not in action:
        raise invalid("A new scheduled action needs a Schedule and a ScalableTargetAction.")
    try:
        due(action)
    except (ValueError, ZoneInfoNotFoundError) as error:
        raise invalid(f"The schedule of {name} is not valid: {error}") from None
    actions = {**target.document["Actions"], name: action}
    call.house.records.update(target, {**target.document, "Actions": actions})
    call.house.supervisor.wake(TARGETS, target.id)


@operation("DeleteScheduledAction")
def delete_scheduled_action(call: Call, request: dict[str, Any]) -> None:
    target, name = find_target(call, request), request["ScheduledActionName"]
    actions = dict(target.document["Actions"])
    if actions.pop(name, None) is None:
        message = f"No scheduled action found for {described(request)}, scheduled action name: {name}"
        raise ServiceError("ObjectNotFoundException", message, 400)
    call.house.records.update(target, {**target.document, "Actions": actions})


@operation("DescribeScheduledActions")
def describe_scheduled_actions(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("ScheduledActionNames")
    actions = [
        {
            **{member: target.document[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            **{member: value for member, value in action.items() if member != "After"},
        }
        for target in targets_of(call, request)
        for action in target.document["Actions"].values()
        if wanted is None or action["ScheduledActionName"] in wanted
    ]
    return page_of("ScheduledActions", actions, request)


def due(action: dict[str, Any]) -> float | None:
    """When it is next to be taken; `After` is when it last was, or was put. None where it never is again."""
    after = max(action["After"], action.get("StartTime", 0.0) - 1)
    since = action.get("StartTime", action["CreationTime"])
    at = next_time(action["Schedule"], action.get("Timezone", "UTC"), after, since)
    return None if at is None or at > action.get("EndTime", float("inf")) else at
