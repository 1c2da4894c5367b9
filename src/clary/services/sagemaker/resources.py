"""What creating is for every kind of resource."""

from typing import Any

from clary.control.call import Call
from clary.records.errors import TooManyTags
from clary.records.record import Kind, Record, State
from clary.services.sagemaker.errors import too_many_tags
from clary.services.sagemaker.tags import tags_of


def arn_of(call: Call, kind: Kind, name: str) -> str:
    return call.arn("sagemaker", f"{kind.name}/{name}")


def without_tags(request: dict[str, Any]) -> dict[str, Any]:
    """A request as a record's document: tags are kept beside it."""
    return {member: value for member, value in request.items() if member != "Tags"}


def create_resource(
    call: Call,
    kind: Kind,
    name: str,
    request: dict[str, Any],
    document: dict[str, Any],
    state: State,
    message: str = "",
) -> Record:
    """A new record with the request's tags; raises `AlreadyExists`, which each operation words in its own way."""
    try:
        return call.house.records.create(
            kind,
            call.scope,
            name,
            arn_of(call, kind, name),
            document,
            state,
            tags=tags_of(request),
            message=message,
        )
    except TooManyTags:
        raise too_many_tags() from None
