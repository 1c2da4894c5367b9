"""Who is calling, and temporary credentials."""

from typing import Any

from clary.control.call import Call
from clary.records.record import Record
from clary.services.iam.roles import DEFAULT_ROLE, RoleName, is_own, mention_role, read_role_arn, role_id
from clary.services.sts import operation
from clary.wire.credentials import TemporaryCredentials
from clary.wire.errors import ServiceError

SESSION = "clary"
DEFAULT_SECONDS = 3600
"""Of an assumed role, and of the account's own session."""


@operation("GetCallerIdentity")
def get_caller_identity(call: Call, _request: dict[str, Any]) -> dict[str, Any]:
    """The SageMaker SDKs take their execution role from this answer, so the account's own keys appear as they
    would in a SageMaker notebook: as a session of the default role."""
    account, arn = call.scope.account, call.principal
    if arn.endswith(":root"):
        arn = _session_arn(call, DEFAULT_ROLE, SESSION)
    _, role, session = arn.split("/", 2)
    return {"Account": account, "Arn": arn, "UserId": f"{role_id(account, role)}:{session}"}


@operation("AssumeRole")
def assume_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    named = read_role_arn(request["RoleArn"])
    if named is None:
        raise ServiceError("ValidationError", f"{request['RoleArn']} is invalid", 400)
    # AWS does not tell a role that is not there from one that trusts somebody else.
    role = _role(call, named) if is_own(call, named) else None
    if role is None:
        raise ServiceError(
            "AccessDenied",
            f"User: {call.principal} is not authorized to perform: sts:AssumeRole on resource: {request['RoleArn']}",
            403,
        )
    seconds = request.get("DurationSeconds", DEFAULT_SECONDS)
    if seconds > role.document["MaxSessionDuration"]:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            400,
        )
    session = request["RoleSessionName"]
    arn = _session_arn(call, role.name, session)
    return {
        "Credentials": _shown(call.house.keys.issue(arn, seconds)),
        "AssumedRoleUser": {"AssumedRoleId": f"{role_id(call.scope.account, role.name)}:{session}", "Arn": arn},
    }


@operation("GetSessionToken")
def get_session_token(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if not call.principal.endswith(":root"):
        raise ServiceError("AccessDenied", "Cannot call GetSessionToken with session credentials", 403)
    # The account's own session lasts an hour at most, whatever is asked for.
    seconds = min(request.get("DurationSeconds", DEFAULT_SECONDS), DEFAULT_SECONDS)
    return {"Credentials": _shown(call.house.keys.issue(None, seconds))}


def _role(call: Call, named: RoleName) -> Record | None:
    try:
        return mention_role(call, named.name, named.path)
    except ServiceError:
        return None


def _session_arn(call: Call, role: str, session: str) -> str:
    return call.global_arn("sts", f"assumed-role/{role}/{session}")


def _shown(credentials: TemporaryCredentials) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.session_token,
        "Expiration": credentials.expiration,
    }
