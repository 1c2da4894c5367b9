"""Operations on roles. Those on their policies are in `policies.py`."""

from typing import Any

from clary.control.call import Call
from clary.records.errors import AlreadyExists, InvalidToken, TooManyTags
from clary.records.query import Query
from clary.services.iam import operation
from clary.services.iam.documents import checked_policy_arn, checked_trust_policy
from clary.services.iam.paging import MAX_ITEMS, page_of
from clary.services.iam.roles import (
    ACTIVE,
    BOUNDARY,
    DEFAULT_DURATION,
    DEFAULT_ROLE,
    DELETED,
    MENTIONED,
    ROLE,
    change_role,
    create_role,
    described,
    find_role,
    listed_tags,
    mention_role,
    remove_role,
    scope,
)
from clary.wire.errors import ServiceError

_NOT_LISTED = ("Tags", BOUNDARY)
"""What ListRoles, as documented, leaves out."""


@operation("GetRole")
def get_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return {"Role": described(call, mention_role(call, request["RoleName"]))}


@operation("CreateRole")
def create(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["RoleName"]
    document = {
        "Path": request.get("Path", "/"),
        "AssumeRolePolicyDocument": checked_trust_policy(request["AssumeRolePolicyDocument"]),
        "MaxSessionDuration": request.get("MaxSessionDuration", DEFAULT_DURATION),
        "Policies": {},
        "Attached": [],
        **({"Description": request["Description"]} if "Description" in request else {}),
        **({BOUNDARY: checked_policy_arn(request[BOUNDARY])} if BOUNDARY in request else {}),
    }
    earlier = call.house.records.find(ROLE, scope(call), name)
    if earlier is not None and earlier.state != DELETED and MENTIONED not in earlier.document:
        earlier = None
    try:
        role = create_role(call, name, document, _tags(request), instead_of=earlier)
    except AlreadyExists:
        raise ServiceError("EntityAlreadyExists", f"Role with name {name} already exists.", 409) from None
    return {"Role": described(call, role)}


@operation("ListRoles")
def list_roles(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    mention_role(call, DEFAULT_ROLE)
    query = Query(
        sort_by="Name",
        status=ACTIVE.status,
        max_results=request.get("MaxItems", MAX_ITEMS),
        next_token=request.get("Marker", ""),
    )
    try:
        page = call.house.records.list(ROLE, scope(call), query)
    except InvalidToken:
        raise ServiceError("ValidationError", "Invalid Marker.", 400) from None
    prefix = request.get("PathPrefix", "/")
    roles = [described(call, role) for role in page.records if role.document["Path"].startswith(prefix)]
    listed = [{name: value for name, value in role.items() if name not in _NOT_LISTED} for role in roles]
    marker = {"Marker": page.next_token} if page.next_token else {}
    return {"Roles": listed, "IsTruncated": bool(page.next_token), **marker}


@operation("UpdateRole")
def update_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    role = find_role(call, request["RoleName"])
    changes = {name: request[name] for name in ("Description", "MaxSessionDuration") if name in request}
    change_role(call, role, **changes)
    return {}


@operation("UpdateAssumeRolePolicy")
def update_assume_role_policy(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    change_role(call, role, AssumeRolePolicyDocument=checked_trust_policy(request["PolicyDocument"]))


@operation("DeleteRole")
def delete_role(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    if MENTIONED not in role.document:
        if role.document["Attached"]:
            raise ServiceError("DeleteConflict", "Cannot delete entity, must detach all policies first.", 409)
        if role.document["Policies"]:
            raise ServiceError("DeleteConflict", "Cannot delete entity, must delete policies first.", 409)
    remove_role(call, role)


@operation("TagRole")
def tag_role(call: Call, request: dict[str, Any]) -> None:
    try:
        call.house.records.add_tags(find_role(call, request["RoleName"]), _tags(request))
    except TooManyTags:
        raise ServiceError("LimitExceeded", "The number of tags has reached the maximum limit.", 409) from None


@operation("UntagRole")
def untag_role(call: Call, request: dict[str, Any]) -> None:
    call.house.records.remove_tags(find_role(call, request["RoleName"]), request["TagKeys"])


@operation("ListRoleTags")
def list_role_tags(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    tags = call.house.records.tags(find_role(call, request["RoleName"]))
    return page_of(request, "Tags", {tag["Key"]: tag for tag in listed_tags(tags)})


def _tags(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
