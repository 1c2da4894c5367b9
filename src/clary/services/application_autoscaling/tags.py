"""Tags of scalable targets."""

from typing import Any

from clary.control.call import Call
from clary.records.errors import NotFound, TooManyTags
from clary.records.record import Record
from clary.records.tags import MOST_TAGS
from clary.services.application_autoscaling import operation
from clary.services.application_autoscaling.targets import TARGETS
from clary.wire.errors import ServiceError


@operation("ListTagsForResource")
def list_tags_for_resource(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"Tags": call.house.records.tags(_target(call, request))}


@operation("TagResource")
def tag_resource(call: Call, request: dict[str, Any]) -> None:
    target = _target(call, request)
    try:
        call.house.records.add_tags(target, request["Tags"])
    except TooManyTags:
        message = f"A scalable target can have at most {MOST_TAGS} tags."
        raise ServiceError("TooManyTagsException", message, 400, ResourceName=target.arn) from None


@operation("UntagResource")
def untag_resource(call: Call, request: dict[str, Any]) -> None:
    call.house.records.remove_tags(_target(call, request), request["TagKeys"])


def _target(call: Call, request: dict[str, Any]) -> Record:
    arn = request["ResourceARN"]
    try:
        record = call.house.records.by_arn(arn)
    except NotFound:
        record = None
    if record is None or record.kind != TARGETS.name or record.scope != call.scope:
        message = f"The specified resource doesn't exist: {arn}"
        raise ServiceError("ResourceNotFoundException", message, 400, ResourceName=arn)
    return record
