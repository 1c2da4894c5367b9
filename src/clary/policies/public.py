"""Whether a policy opens its resource to the public.

Source: "The meaning of 'public'" in the Amazon S3 User Guide: it allows anybody something, and no condition narrows
that to fixed values of one of these keys.
"""

import ipaddress

from clary.policies.document import Condition, Policy, Statement

_NARROWING = frozenset(
    {
        "aws:principalaccount",
        "aws:principalarn",
        "aws:principalorgid",
        "aws:principalorgpaths",
        "aws:sourceaccount",
        "aws:sourcearn",
        "aws:sourceip",
        "aws:sourceorgid",
        "aws:sourceorgpaths",
        "aws:sourceowner",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:userid",
        "s3:dataaccesspointaccount",
        "s3:dataaccesspointarn",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    }
)
_WIDEST = {4: 8, 6: 32}
"""Bits of a network's prefix from which on it is narrow, by version of the protocol."""


def is_public(policy: Policy) -> bool:
    return any(statement.allows and _is_open(statement) for statement in policy.statements)


def _is_open(statement: Statement) -> bool:
    principals = statement.principals
    if principals is None or ("*" not in principals.values and not principals.negated):
        return False
    return not any(_narrows(condition) for condition in statement.conditions)


def _narrows(condition: Condition) -> bool:
    if condition.operator is None or condition.operator.negated or condition.if_exists:
        return False
    if condition.key not in _NARROWING or condition.quantifier == "ForAllValues:":
        return False
    if condition.key == "aws:sourceip":
        return all(_is_narrow(value) for value in condition.values)
    return not any("*" in value or "?" in value or "${" in value for value in condition.values)


def _is_narrow(network: str) -> bool:
    try:
        parsed = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    return parsed.prefixlen >= _WIDEST[parsed.version]
