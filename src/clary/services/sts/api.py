"""Who is calling, and temporary credentials."""

import re
from typing import Any

from clary.control.call import Call
from clary.services.iam.roles import DEFAULT_ROLE, mention_role, role_id
from clary.services.sts import operation
from clary.wire.credentials import TemporaryCredentials
from clary.wire.errors import ServiceError

SESSION = "clary"
DEFAULT_SECONDS = 3600
"""Of an assumed role, and of the account's own session."""

_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role(?P<path>/(?:.*/)?)(?P<name>[^/]+)")


@operation("GetCallerIdentity")
def get_caller_identity(call: Call, _request: dict[str, Any]) -> dict[str, Any]:
    """The SageMaker SDKs take their execution role from this answer, so the account's own keys appear as they
    would in a SageMaker notebook: as a session of the default role."""
    account, arn = call.scope.account, call.principal
    if arn.endswith(":root"):
        arn = _session_arn(account, DEFAULT_ROLE, SESSION)
    _, role, session = arn.split("/", 2)
    return {"Account": account, "Arn": arn, "UserId": f"{role_id(account, role)}:{session}"}


@operation("AssumeRole")
def assume_role(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    match = _ROLE_ARN.fullmatch(request["RoleArn"])
    if match is None:
        raise ServiceError("ValidationError", f"{request['RoleArn']} is invalid", 400)
    if match["account"] != call.scope.account:
        raise ServiceError(
            "AccessDenied",
            f"User: {call.principal} is not authorized to perform: sts:AssumeRole on resource: {match[0]}",
            403,
        )
    role = mention_role(call, match["name"], match["path"])
    seconds = request.get("DurationSeconds", DEFAULT_SECONDS)
    if seconds > role.document["MaxSessionDuration"]:
        raise ServiceError(
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            400,
        )
    session = request["RoleSessionName"]
    arn = _session_arn(call.scope.account, role.name, session)
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
    return {"Credentials": _shown(call.house.keys.issue(call.principal, seconds))}


def _session_arn(account: str, role: str, session: str) -> str:
    return f"arn:aws:sts::{account}:assumed-role/{role}/{session}"


def _shown(credentials: TemporaryCredentials) -> dict[str, Any]:
    return {
        "AccessKeyId": credentials.access_key,
        "SecretAccessKey": credentials.secret,
        "SessionToken": credentials.session_token,
        "Expiration": credentials.expiration,
    }
