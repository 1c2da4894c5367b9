"""Policy documents, checked as far as IAM checks them: their grammar, and what a trust policy may say.

Source: "Grammar of the IAM JSON policy language" in the IAM User Guide; the words are those that IAM answers.
"""

import json
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from clary.arns import read_arn
from clary.wire.errors import ServiceError

VERSIONS = ("2012-10-17", "2008-10-17")
_PRINCIPALS = ("AWS", "Service", "Federated", "CanonicalUser")
_ASSUMING = (
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetContext",
    "sts:SetSourceIdentity",
    "sts:TagSession",
)
_SYNTAX = "Syntax errors in policy."


def checked_policy(text: str) -> str:
    """A policy of a role as it was given; `MalformedPolicyDocument` where IAM would not take it."""
    return _checked(text, _check_permissions)


def checked_trust_policy(text: str) -> str:
    """The same, for a policy that says who may assume a role."""
    return _checked(text, _check_trust)


def checked_policy_arn(text: str) -> str:
    """The ARN of a policy as it was given, whether or not there is such a policy."""
    arn = read_arn(text)
    if arn is None or arn.service != "iam" or not arn.resource.startswith("policy/"):
        raise ServiceError("InvalidInput", f"ARN {text} is not valid.", 400)
    return text


def _checked(text: str, check_statement: Callable[[dict[str, Any]], None]) -> str:
    try:
        policy = json.loads(text)
    except (ValueError, RecursionError):
        raise _malformed("This policy contains invalid Json") from None
    if not isinstance(policy, dict):
        raise _malformed(_SYNTAX)
    if policy.get("Version", VERSIONS[-1]) not in VERSIONS:
        raise _malformed(_SYNTAX)
    for statement in _statements(policy):
        _check_statement(statement)
        check_statement(statement)
    return text


def _statements(policy: dict[str, Any]) -> list[dict[str, Any]]:
    if "Statement" not in policy:
        raise _malformed("Missing required field Statement")
    given = policy["Statement"]
    statements = given if isinstance(given, list) else [given]
    if not all(isinstance(statement, dict) for statement in statements):
        raise _malformed(_SYNTAX)
    names = [statement["Sid"] for statement in statements if statement.get("Sid")]
    if len(set(map(str, names))) != len(names):
        raise _malformed("Statement IDs (SID) in a single policy must be unique.")
    return statements


def _check_statement(statement: dict[str, Any]) -> None:
    if "Effect" not in statement:
        raise _malformed("Missing required field Effect")
    if statement["Effect"] not in ("Allow", "Deny"):
        raise _malformed(f"Invalid effect: {statement['Effect']}")
    for name in ("Action", "NotAction", "Resource", "NotResource"):
        if name in statement and not _is_texts(statement[name]):
            raise _malformed(_SYNTAX)
    if not isinstance(statement.get("Condition", {}), dict):
        raise _malformed(_SYNTAX)


def _check_permissions(statement: dict[str, Any]) -> None:
    if "Principal" in statement or "NotPrincipal" in statement:
        raise _malformed("Policy document should not specify a principal.")
    if not (statement.get("Action") or statement.get("NotAction")):
        raise _malformed("Policy statement must contain actions.")
    if not (statement.get("Resource") or statement.get("NotResource")):
        raise _malformed("Policy statement must contain resources.")


def _check_trust(statement: dict[str, Any]) -> None:
    for name in ("Resource", "NotResource"):
        if name in statement:
            raise _malformed(f"Has prohibited field {name}")
    if "Principal" not in statement:
        raise _malformed("Missing required field Principal")
    if "Action" not in statement:
        raise _malformed("Missing required field Action")
    _check_principal(statement["Principal"])
    for action in _texts(statement["Action"]):
        if action == "*" or not any(fnmatchcase(known.lower(), action.lower()) for known in _ASSUMING):
            raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def _check_principal(principal: Any) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal:
        raise _malformed(_SYNTAX)
    for kind, named in principal.items():
        if kind not in _PRINCIPALS or not _is_texts(named) or not all(_texts(named)):
            raise _malformed(f'Invalid principal in policy: "{kind}":{json.dumps(named)}')


def _is_texts(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list) and all(isinstance(each, str) for each in value))


def _texts(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _malformed(message: str) -> ServiceError:
    return ServiceError("MalformedPolicyDocument", message, 400)
