"""AddTags, ListTags and DeleteTags, on a resource of any kind by its ARN."""

from typing import Any

from clary.control.call import Call
from clary.records.errors import NotFound, TooManyTags
from clary.records.record import Record
from clary.services.sagemaker import operation
from clary.services.sagemaker.errors import invalid, too_many_tags
from clary.wire.errors import ServiceError


@operation("AddTags")
def add_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    record = _resource(call, request["ResourceArn"])
    new = tags_of(request)
    try:
        call.house.records.add_tags(record, new)
    except TooManyTags:
        raise too_many_tags() from None
    return {"Tags": _listed(call.house.records.tags(record))}


@operation("ListTags")
def list_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "NextToken" in request:
        # The smallest MaxResults is the most tags that a resource can have: there never is a second page.
        raise invalid("The NextToken is not valid for this request.")
    return {"Tags": _listed(call.house.records.tags(_resource(call, request["ResourceArn"])))}


@operation("DeleteTags")
def delete_tags(call: Call, request: dict[str, Any]) -> None:
    call.house.records.remove_tags(_resource(call, request["ResourceArn"]), request["TagKeys"])


def tags_of(request: dict[str, Any]) -> dict[str, str]:
    """The `Tags` of a request that creates or tags a resource, checked."""
    found: dict[str, str] = {}
    for tag in request.get("Tags", []):
        key = tag["Key"]
        if key.lower().startswith("aws:"):
            raise invalid(f"The tag key {key} is not valid: keys that begin with aws: are reserved.")
        if key in found:
            raise invalid(f"Duplicate tag keys found: {key}. Each tag key must be unique on a resource.")
        found[key] = tag["Value"]
    return found


def _resource(call: Call, arn: str) -> Record:
    try:
        record = call.house.records.by_arn(arn)
    except NotFound:
        record = None
    if record is None or record.scope != call.scope:
        raise ServiceError("ResourceNotFound", f"Requested resource not found: {arn}")
    return record


def _listed(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
