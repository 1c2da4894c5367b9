"""Scaling activities: what was scaled, why, and what came of it; the last hundred of each target.

An activity is written down before anything is changed (`Begun` false), so that a kill in between leaves it to be done.
"""

import time
import uuid
from typing import Any

from clary.control.call import Call
from clary.services.application_autoscaling import operation
from clary.services.application_autoscaling.errors import not_built
from clary.services.application_autoscaling.paging import page_of
from clary.services.application_autoscaling.targets import targets_of

LENGTH = 100
_OWN = ("Begun", "From", "To", "Policy")


def begun(document: dict[str, Any], words: str, before: int, after: int, cause: str, policy: str) -> dict[str, Any]:
    """The document of a target with an activity in progress; `policy` is its name, empty where none was the cause."""
    activity = {
        "ActivityId": str(uuid.uuid4()),
        "Description": f"Setting {words} to {after}.",
        "Cause": cause,
        "StartTime": time.time(),
        "StatusCode": "InProgress",
        "Begun": False,
        "From": before,
        "To": after,
        "Policy": policy,
    }
    return {**document, "Activities": [*document["Activities"], activity][-LENGTH:]}


def in_progress(document: dict[str, Any]) -> dict[str, Any] | None:
    last: dict[str, Any] | None = document["Activities"][-1] if document["Activities"] else None
    return last if last is not None and last["StatusCode"] == "InProgress" else None


def changed(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The document with changes to its last activity."""
    *others, last = document["Activities"]
    return {**document, "Activities": [*others, {**last, **changes}]}


def ended(document: dict[str, Any], status: str, message: str) -> dict[str, Any]:
    return changed(document, StatusCode=status, StatusMessage=message, EndTime=time.time())


@operation("DescribeScalingActivities")
def describe_scaling_activities(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """The latest first."""
    if request.get("IncludeNotScaledActivities"):
        raise not_built("IncludeNotScaledActivities")
    found = [
        {
            **{member: target.document[member] for member in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            **{member: value for member, value in activity.items() if member not in _OWN},
        }
        for target in targets_of(call, request)
        for activity in target.document["Activities"]
    ]
    found.sort(key=lambda activity: activity["StartTime"], reverse=True)
    return page_of("ScalingActivities", found, request)
