"""What a role is here, and where it comes from.

    CreateRole ───────────────────────────────▶ a role as the client wants it
    GetRole, SimulatePrincipalPolicy, AssumeRole ─▶ that role, or one made at its first mention
    DeleteRole ───────────────────────────────▶ Deleted: a name that no mention brings back, only CreateRole
    CreateTrainingJob, CreateModel … ─────────▶ nothing: refused where the role was deleted

A program names the execution role of the AWS account that it was written for. So that it runs unmodified, a
role that nobody created is made when it is first asked for, trusting SageMaker; CreateRole may still take its
place. The setting `strict_roles` ends that: then only the platform's own role is there without being created,
and SageMaker refuses the others.
"""

import base64
import hashlib
import json
import re
from typing import Any, NamedTuple
from urllib.parse import quote

from clary.arns import global_arn, partition_of, read_arn
from clary.control.call import Call
from clary.records.errors import AlreadyExists, Stale
from clary.records.record import Kind, Record, Scope, State
from clary.wire.errors import ServiceError

ACTIVE = State("Active")
DELETED = State("Deleted")
"""Of a role that is not there any more, and whose name is remembered for it."""
ROLE = Kind("role", transitions={ACTIVE: frozenset({DELETED})})

DEFAULT_ROLE = "AmazonSageMaker-ExecutionRole"
"""Whom the platform's own keys speak as: clients want to find themselves in a role that SageMaker may
assume."""

DEFAULT_DURATION = 3600

MENTIONED = "MadeAtFirstMention"
BOUNDARY = "PermissionsBoundary"

_TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
_FULL_ACCESS = "policy/AmazonSageMakerFullAccess"
"""A policy of AWS's own, whose account is `aws`."""

_ROLE = re.compile(r"role(?P<path>/(?:.*/)?)(?P<name>[^/]+)")


def scope(call: Call) -> Scope:
    """Roles belong to an account, in every region of a partition: `aws-global`, `aws-cn-global` …"""
    return Scope(call.scope.account, f"{partition_of(call.scope.region)}-global")


class RoleName(NamedTuple):
    """What the ARN of a role says."""

    partition: str
    account: str
    path: str
    name: str


def read_role_arn(text: str) -> RoleName | None:
    """None where it is no ARN of a role."""
    arn = read_arn(text)
    match = _ROLE.fullmatch(arn.resource) if arn is not None and arn.service == "iam" else None
    if arn is None or match is None:
        return None
    return RoleName(arn.partition, arn.account, match["path"], match["name"])


def is_own(call: Call, role: RoleName) -> bool:
    """Whether the role is one of the account that calls, in the partition that it calls in."""
    return (role.partition, role.account) == (partition_of(call.scope.region), call.scope.account)


def standing_key(role: Scope, name: str) -> str:
    """Under which memory has what a role's policies forbid; whoever changes a role makes it forget."""
    return f"{role.account}/{role.region}/{name}"


def forget_standing(call: Call, name: str) -> None:
    call.house.standings.forget(standing_key(scope(call), name))


def role_id(account: str, name: str) -> str:
    """Stable and unique, in the form of AWS's."""
    digest = hashlib.blake2b(f"{account}/{name}".encode(), digest_size=11).digest()
    return "AROA" + base64.b32encode(digest).decode()[:17]


def find_role(call: Call, name: str) -> Record:
    """A role that is there; `NoSuchEntity` where it is not."""
    role = call.house.records.find(ROLE, scope(call), name)
    if role is None or role.state == DELETED:
        raise ServiceError("NoSuchEntity", f"The role with name {name} cannot be found.", 404)
    return role


def mention_role(call: Call, name: str, path: str | None = None) -> Record:
    """The role, made where nobody created or deleted it, unless that is switched off."""
    strict = call.house.settings.strict_roles and name != DEFAULT_ROLE
    if strict or call.house.records.find(ROLE, scope(call), name) is not None:
        return find_role(call, name)
    if path is None:
        # The console makes its execution roles under this path, and programs expect them there.
        path = "/service-role/" if name.startswith(DEFAULT_ROLE) else "/"
    document = {
        "Path": path,
        "AssumeRolePolicyDocument": json.dumps(_TRUST_POLICY),
        "Description": "Made by Clary when a client first asked for it",
        "MaxSessionDuration": DEFAULT_DURATION,
        "Policies": {},
        "Attached": [global_arn("iam", call.scope.region, "aws", _FULL_ACCESS)],
        MENTIONED: True,
    }
    try:
        return create_role(call, name, document)
    except AlreadyExists:
        return find_role(call, name)


def may_be_given(call: Call, arn: str) -> bool:
    """Whether a service may be given the role to work under: not one that was deleted, and where roles are strict only
    one that is there."""
    named = read_role_arn(arn)
    if named is None or not is_own(call, named):
        return not call.house.settings.strict_roles
    role = call.house.records.find(ROLE, scope(call), named.name)
    if role is None:
        return named.name == DEFAULT_ROLE or not call.house.settings.strict_roles
    return role.state != DELETED


def create_role(
    call: Call,
    name: str,
    document: dict[str, Any],
    tags: dict[str, str] | None = None,
    instead_of: Record | None = None,
) -> Record:
    """Raises `AlreadyExists`. `instead_of` goes in the same step."""
    records = call.house.records
    arn = call.global_arn("iam", f"role{document['Path']}{name}")
    try:
        with records.together():
            if instead_of is not None:
                records.delete(instead_of)
            return records.create(ROLE, scope(call), name, arn, document, ACTIVE, tags=tags)
    finally:
        forget_standing(call, name)


def remove_role(call: Call, role: Record) -> None:
    """Leave nothing but the memory of it."""
    records = call.house.records
    try:
        with records.together():
            records.remove_tags(role, records.tags(role))
            records.transition(role, DELETED, document={})
    finally:
        forget_standing(call, role.name)


def change_role(call: Call, role: Record, **changes: Any) -> None:
    """Replace members of the role's document."""
    replace_document(call, role, {**role.document, **changes})


def replace_document(call: Call, role: Record, document: dict[str, Any]) -> None:
    try:
        call.house.records.update(role, document)
    except Stale:
        raise ServiceError(
            "ConcurrentModification", f"The role {role.name} was modified by another request.", 409
        ) from None
    finally:
        forget_standing(call, role.name)


def described(call: Call, role: Record) -> dict[str, Any]:
    """The role in the shape of the API. IAM gives policies URL-encoded."""
    document = role.document
    optional = {"Description": document["Description"]} if "Description" in document else {}
    if BOUNDARY in document:
        boundary = {"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": document[BOUNDARY]}
        optional["PermissionsBoundary"] = boundary
    return {
        "Path": document["Path"],
        "RoleName": role.name,
        "RoleId": role_id(role.scope.account, role.name),
        "Arn": role.arn,
        "CreateDate": role.created,
        "AssumeRolePolicyDocument": quote(document["AssumeRolePolicyDocument"], safe=""),
        "MaxSessionDuration": document["MaxSessionDuration"],
        "Tags": listed_tags(call.house.records.tags(role)),
        **optional,
    }


def listed_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
