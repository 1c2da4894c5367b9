"""One record of a resource: create, find, describe, update, delete."""

from collections.abc import Mapping
from typing import Any

from clary.arns import regional_arn
from clary.control.call import Call
from clary.control.house import House
from clary.records.errors import AlreadyExists, NotFound, TooManyTags
from clary.records.record import Kind, Record, Scope
from clary.services.iam.roles import may_be_given
from clary.services.sagemaker.errors import invalid, too_many_tags
from clary.services.sagemaker.resources.declaration import Resource
from clary.services.sagemaker.resources.shapes import documents_error
from clary.services.sagemaker.tags import tags_of
from clary.wire.errors import ServiceError

_ROLES = ("RoleArn", "ExecutionRoleArn")


def arn_of(call: Call, kind: Kind, name: str) -> str:
    return call.arn("sagemaker", f"{kind.name}/{name}")


def create(call: Call, resource: Resource, request: dict[str, Any], *, parent: str | None = None) -> Record:
    """The new record, with the request's tags, as a child of the record `parent`. Its reconciler, where it has one, is
    woken."""
    tags = tags_of(request)
    check_roles(call, request)
    asked = {member: value for member, value in request.items() if member != "Tags"}
    document = resource.prepare(call, asked)
    name = request[resource.name_member]
    try:
        return enrol(call.house, call.scope, resource, name, document, tags=tags, parent=parent)
    except TooManyTags:
        raise too_many_tags() from None
    except AlreadyExists:
        arn = arn_of(call, resource.kind, name)
        raise ServiceError(_exists_code(resource), resource.exists.format(name=name, arn=arn)) from None


def enrol(
    house: House,
    scope: Scope,
    resource: Resource,
    name: str,
    document: dict[str, Any],
    *,
    tags: Mapping[str, str],
    parent: str | None = None,
) -> Record:
    """A new record with a document that is right, also of a parent's own making. Raises `AlreadyExists`,
    `TooManyTags`."""
    arn = regional_arn("sagemaker", scope.region, scope.account, f"{resource.kind.name}/{name}")
    record = house.records.create(
        resource.kind,
        scope,
        name,
        arn,
        document,
        resource.initial,
        tags=tags,
        message=resource.message,
        parent=parent,
    )
    if resource.kind.live:
        house.supervisor.wake(resource.kind, record.id)
    return record


def check_roles(call: Call, request: dict[str, Any]) -> None:
    """Refuse a role that nothing could be done under."""
    for member in _ROLES:
        if member in request and not may_be_given(call, request[member]):
            raise invalid(
                f"Could not assume role {request[member]}. Please ensure that the role exists and allows principal "
                "'sagemaker.amazonaws.com' to assume the role."
            )


def find(call: Call, resource: Resource, name_or_arn: str) -> Record:
    """The caller's record of that name, or of that ARN where the operation takes one."""
    arn = arn_of(call, resource.kind, name_or_arn)
    name = name_or_arn
    if name_or_arn.startswith("arn:"):
        arn, name = name_or_arn, name_or_arn.partition(f":{resource.kind.name}/")[2]
    try:
        record = call.house.records.get(resource.kind, call.scope, name)
    except NotFound:
        record = None
    if record is None or record.arn != arn:
        raise ServiceError(_missing_code(resource), resource.missing.format(name=name, arn=arn))
    return record


def told(resource: Resource, record: Record) -> dict[str, Any]:
    """What a record says of itself; a summary answers what its shape has a place for."""
    return {
        **record.document,
        resource.name_member: record.name,
        resource.arn_member: record.arn,
        f"{resource.base}Status": record.state.status,
        "SecondaryStatus": record.state.secondary,
        "CreationTime": record.created,
        "LastModifiedTime": record.modified,
        **resource.tell(record),
    }


def described(house: House, resource: Resource, record: Record) -> dict[str, Any]:
    """All that can be said of a record."""
    return {**told(resource, record), **resource.describe(house, record)}


def update(call: Call, resource: Resource, request: dict[str, Any]) -> Record:
    record = find(call, resource, request[resource.name_member])
    check_roles(call, request)
    return call.house.records.update(record, resource.amend(record.document, request))


def delete(call: Call, resource: Resource, request: dict[str, Any]) -> Record:
    record = find(call, resource, request[resource.name_member])
    resource.guard(call, record)
    call.house.records.delete(record)
    return record


def _missing_code(resource: Resource) -> str:
    if resource.missing_code:
        return resource.missing_code
    documented = documents_error(f"Describe{resource.base}", "ResourceNotFound")
    return "ResourceNotFound" if documented else "ValidationException"


def _exists_code(resource: Resource) -> str:
    documented = documents_error(f"Create{resource.base}", "ResourceInUse")
    return "ResourceInUse" if documented else "ValidationException"
