"""Access control lists, from the three ways to write one to the grants that are kept.

    x-amz-acl: public-read ─┐
    x-amz-grant-read: id=…  ├─▶ [{"Grantee": …, "Permission": …}]
    AccessControlPolicy     ─┘

Source: "Access control list (ACL) overview" in the Amazon S3 User Guide. There is one account, so the owner of a
bucket also owns what is in it, and no other canonical user can be granted anything.
"""

import re
from typing import Any

from clary.objects.errors import StoreError
from clary.services.s3.enums import values_of
from clary.services.s3.names import owner

Grants = list[dict[str, Any]]

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
GROUPS = (ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY)
PUBLIC = (ALL_USERS, AUTHENTICATED_USERS)
MOST_GRANTS = 100

CANNED: dict[str, tuple[tuple[str, str], ...]] = {
    "private": (),
    "public-read": ((ALL_USERS, "READ"),),
    "public-read-write": ((ALL_USERS, "READ"), (ALL_USERS, "WRITE")),
    "authenticated-read": ((AUTHENTICATED_USERS, "READ"),),
    # These two and the next grant the bucket's owner what the object's owner has here already.
    "bucket-owner-read": (),
    "bucket-owner-full-control": (),
    # Amazon EC2 is not among the grantees that exist here.
    "aws-exec-read": (),
    "log-delivery-write": ((LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")),
}
HEADERS = {
    "GrantFullControl": "FULL_CONTROL",
    "GrantRead": "READ",
    "GrantReadACP": "READ_ACP",
    "GrantWrite": "WRITE",
    "GrantWriteACP": "WRITE_ACP",
}
_GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*"?([^",]*)"?\s*', re.IGNORECASE)


def asks_for_grants(request: dict[str, Any]) -> bool:
    return any(request.get(member) is not None for member in ("ACL", "AccessControlPolicy", *HEADERS))


def only_owner(account: str) -> Grants:
    return [_grant({"Type": "CanonicalUser", **owner(account)}, "FULL_CONTROL")]


def grants_of(request: dict[str, Any], account: str) -> Grants:
    """The list that a request asks for, in whichever way; raises where it asks in two or names nobody."""
    headers = {member: request[member] for member in HEADERS if request.get(member) is not None}
    canned, policy = request.get("ACL"), request.get("AccessControlPolicy")
    if canned is not None and headers:
        raise StoreError("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if policy is not None and (canned is not None or headers):
        raise StoreError("UnexpectedContent", "This request does not support content")
    if policy is not None:
        return _from_policy(policy, account)
    if canned is not None:
        if canned not in CANNED:
            message = "The canned ACL that was asked for is none of those that S3 knows"
            raise StoreError("InvalidArgument", message, ArgumentName="x-amz-acl", ArgumentValue=canned)
        extra = [_grant({"Type": "Group", "URI": uri}, permission) for uri, permission in CANNED[canned]]
        return only_owner(account) + extra
    return [
        _grant(_grantee(text, account), HEADERS[member])
        for member, value in headers.items()
        for text in value.split(",")
        if text.strip()
    ]


def is_public(grants: Grants) -> bool:
    """Whether a list grants anything to everybody, or to everybody who has an AWS account."""
    return any(grant["Grantee"].get("URI") in PUBLIC for grant in grants)


def granted_to_all(grants: Grants, permission: str) -> bool:
    return any(
        grant["Grantee"].get("URI") == ALL_USERS and grant["Permission"] in (permission, "FULL_CONTROL")
        for grant in grants
    )


def malformed_acl() -> StoreError:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    return StoreError("MalformedACLError", message)


def _from_policy(policy: dict[str, Any], account: str) -> Grants:
    grants = policy.get("Grants") or []
    if "ID" not in policy.get("Owner", {}) or len(grants) > MOST_GRANTS:
        raise malformed_acl()
    if policy["Owner"]["ID"] != owner(account)["ID"]:
        raise StoreError("AccessDenied", "Access Denied", 403)
    return [_checked(grant, account) for grant in grants]


def _checked(grant: dict[str, Any], account: str) -> dict[str, Any]:
    grantee, permission = grant.get("Grantee", {}), grant.get("Permission")
    wanted = {"CanonicalUser": "ID", "Group": "URI", "AmazonCustomerByEmail": "EmailAddress"}.get(grantee.get("Type"))
    if permission not in values_of("Permission") or wanted is None or not grantee.get(wanted):
        raise malformed_acl()
    return _grant(_named(wanted, grantee[wanted], account), permission)


def _grantee(text: str, account: str) -> dict[str, str]:
    """Of a header: `id="…"`, `uri="…"` or `emailAddress="…"`."""
    match = _GRANTEE.fullmatch(text)
    if match is None:
        raise StoreError("InvalidArgument", "Argument format not recognized", ArgumentValue=text.strip())
    kind = {"id": "ID", "uri": "URI", "emailaddress": "EmailAddress"}[match[1].lower()]
    return _named(kind, match[2], account)


def _named(kind: str, value: str, account: str) -> dict[str, str]:
    if kind == "EmailAddress":
        raise StoreError(
            "UnresolvableGrantByEmailAddress",
            "The e-mail address you provided does not match any account on record.",
        )
    if kind == "URI":
        if value not in GROUPS:
            raise StoreError("InvalidArgument", "Invalid group uri", ArgumentName="uri", ArgumentValue=value)
        return {"Type": "Group", "URI": value}
    if value != owner(account)["ID"]:
        raise StoreError("InvalidArgument", "Invalid id", ArgumentName="CanonicalUser/ID", ArgumentValue=value)
    return {"Type": "CanonicalUser", "ID": value}


def _grant(grantee: dict[str, str], permission: str) -> dict[str, Any]:
    return {"Grantee": grantee, "Permission": permission}
