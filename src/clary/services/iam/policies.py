"""The policies of roles: kept, listed, and simulated as Clary applies them (`standing.py`)."""

from typing import Any
from urllib.parse import quote

from clary.control.call import Call
from clary.policies.document import MalformedPolicy, Policy, read
from clary.policies.judging import Question, Verdict, judge
from clary.records.record import Record
from clary.services.iam import operation
from clary.services.iam.documents import checked_policy, checked_policy_arn
from clary.services.iam.paging import page_of
from clary.services.iam.roles import (
    BOUNDARY,
    change_role,
    find_role,
    is_own,
    mention_role,
    read_role_arn,
    replace_document,
    scope,
)
from clary.services.iam.standing import AssumedRole, standing_of
from clary.wire.errors import ServiceError


@operation("PutRolePolicy")
def put_role_policy(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    policy = checked_policy(request["PolicyDocument"])
    try:
        read(policy, of_resource=False)
    except MalformedPolicy as error:
        raise ServiceError("MalformedPolicyDocument", str(error), 400) from None
    change_role(call, role, Policies={**role.document["Policies"], request["PolicyName"]: policy})


@operation("GetRolePolicy")
def get_role_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    role = find_role(call, request["RoleName"])
    policy = _inline(role, request["PolicyName"])
    return {
        "RoleName": role.name,
        "PolicyName": request["PolicyName"],
        "PolicyDocument": quote(policy, safe=""),
    }


@operation("ListRolePolicies")
def list_role_policies(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    role = find_role(call, request["RoleName"])
    return page_of(request, "PolicyNames", {name: name for name in role.document["Policies"]})


@operation("DeleteRolePolicy")
def delete_role_policy(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    _inline(role, request["PolicyName"])
    kept = {name: text for name, text in role.document["Policies"].items() if name != request["PolicyName"]}
    change_role(call, role, Policies=kept)


@operation("AttachRolePolicy")
def attach_role_policy(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    arn = checked_policy_arn(request["PolicyArn"])
    if arn not in role.document["Attached"]:
        change_role(call, role, Attached=[*role.document["Attached"], arn])


@operation("DetachRolePolicy")
def detach_role_policy(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    arn = request["PolicyArn"]
    if arn not in role.document["Attached"]:
        raise ServiceError("NoSuchEntity", f"Policy {arn} was not found.", 404)
    change_role(call, role, Attached=[each for each in role.document["Attached"] if each != arn])


@operation("ListAttachedRolePolicies")
def list_attached_role_policies(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    role = find_role(call, request["RoleName"])
    attached = {arn: {"PolicyName": arn.rsplit("/", 1)[-1], "PolicyArn": arn} for arn in role.document["Attached"]}
    return page_of(request, "AttachedPolicies", attached)


@operation("PutRolePermissionsBoundary")
def put_role_permissions_boundary(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    change_role(call, role, **{BOUNDARY: checked_policy_arn(request[BOUNDARY])})


@operation("DeleteRolePermissionsBoundary")
def delete_role_permissions_boundary(call: Call, request: dict[str, Any]) -> None:
    role = find_role(call, request["RoleName"])
    if BOUNDARY not in role.document:
        raise ServiceError("NoSuchEntity", f"The role {role.name} has no permissions boundary.", 404)
    kept = {name: value for name, value in role.document.items() if name != BOUNDARY}
    replace_document(call, role, kept)


@operation("SimulatePrincipalPolicy")
def simulate_principal_policy(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What the role's policies deny is denied in S3, and all else allowed; conditions are not asked, as no call is
    there to look at."""
    named = read_role_arn(request["PolicySourceArn"])
    denials: tuple[Policy, ...] = ()
    if named is not None and is_own(call, named):
        mention_role(call, named.name, named.path)
        denials = standing_of(call.house, AssumedRole(scope(call), named.name)).denials
    results = [
        {
            "EvalActionName": action,
            "EvalResourceName": resource,
            "EvalDecision": "explicitDeny" if _is_denied(denials, action, resource) else "allowed",
        }
        for action in request["ActionNames"]
        for resource in request.get("ResourceArns", ["*"])
    ]
    return {"EvaluationResults": results, "IsTruncated": False}


def _is_denied(denials: tuple[Policy, ...], action: str, resource: str) -> bool:
    if not action.lower().startswith("s3:"):
        return False
    question = Question(frozenset(), action, resource, lambda _key: None)
    return any(judge(policy, question) is Verdict.DENY for policy in denials)


def _inline(role: Record, name: str) -> str:
    try:
        policy: str = role.document["Policies"][name]
    except KeyError:
        raise ServiceError("NoSuchEntity", f"The role policy with name {name} cannot be found.", 404) from None
    return policy
