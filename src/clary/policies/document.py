"""A policy's text, read and checked: what does not hold raises `MalformedPolicy`, in the words of S3.

What a resource or an action must look like is the service's to say, whose policy it is: it looks at `Statement`s.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from clary.policies.operators import OPERATORS, SAMPLES, Operator
from clary.policies.patterns import has_variable

VERSIONS = ("2012-10-17", "2008-10-17")
_ELEMENTS = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)
_NAMES = {
    # An account, its root, a user, a role or a session; or the id that AWS puts in place of one that is gone.
    "AWS": re.compile(r"\*|\d{12}|arn:[\w-]+:(iam|sts)::\d{12}:[^*?]+|A[A-Z0-9]{15,127}"),
    "Service": re.compile(r"[\w.-]+\.[\w.-]+"),
    "Federated": re.compile(r"[^*?]+"),
    "CanonicalUser": re.compile(r"[0-9a-f]{64}"),
}
"""By the kind of principal, how one is named."""
_QUANTIFIERS = ("ForAllValues:", "ForAnyValue:")


class MalformedPolicy(Exception):
    """The message is AWS's."""


@dataclass(frozen=True, slots=True)
class Names:
    """What a statement is about, or all but that."""

    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    name: str
    """Of the operator: `StringLike`, `Null` …"""
    operator: Operator | None
    """None is `Null`, which looks whether the key is there."""
    key: str
    """In lower case, as keys do not tell cases apart."""
    values: tuple[str, ...]
    quantifier: str = ""
    if_exists: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    allows: bool
    principals: Names | None
    """`*`, or kind and name: `AWS:arn:aws:iam::123456789012:root`. None in a policy of an identity."""
    actions: Names
    resources: Names
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    statements: tuple[Statement, ...]
    variables: bool
    """Whether `${…}` is a variable."""


@lru_cache(maxsize=1024)
def read(text: str, of_resource: bool = True) -> Policy:
    """`of_resource`: whether it hangs on a resource and so must name principals, or on an identity, which may not."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'") from error
    if not isinstance(document, dict):
        raise MalformedPolicy("Policies must be valid JSON and the first byte must be '{'")
    if unknown := document.keys() - {"Version", "Id", "Statement"}:
        raise MalformedPolicy(f"Unknown field {min(unknown)}")
    version = document.get("Version", "2008-10-17")
    if version not in VERSIONS:
        raise MalformedPolicy("The policy must contain a valid version string")
    statements = document.get("Statement")
    if isinstance(statements, dict):
        statements = [statements]
    if not isinstance(statements, list) or not statements:
        raise MalformedPolicy("Missing required field Statement")
    return Policy(tuple(_statement(each, of_resource) for each in statements), version == VERSIONS[0])


def _statement(raw: Any, of_resource: bool) -> Statement:
    if not isinstance(raw, dict):
        raise MalformedPolicy("Invalid policy syntax.")
    if unknown := raw.keys() - _ELEMENTS:
        raise MalformedPolicy(f"Unknown field {min(unknown)}")
    if raw.get("Effect") not in ("Allow", "Deny"):
        found = raw.get("Effect")
        raise MalformedPolicy("Missing required field Effect" if found is None else f"Invalid effect: {found}")
    if not of_resource and ("Principal" in raw or "NotPrincipal" in raw):
        raise MalformedPolicy("Policy document should not specify a principal.")
    return Statement(
        allows=raw["Effect"] == "Allow",
        principals=_named(raw, "Principal", _principals) if of_resource else None,
        actions=_named(raw, "Action", _texts),
        resources=_named(raw, "Resource", _texts),
        conditions=tuple(_conditions(raw.get("Condition", {}))),
    )


def _named(raw: dict[str, Any], element: str, values: Any) -> Names:
    negation = f"Not{element}"
    if element in raw and negation in raw:
        raise MalformedPolicy(f"Statement must not have both {element} and {negation}")
    if element not in raw and negation not in raw:
        raise MalformedPolicy(f"Missing required field {element}")
    negated = negation in raw
    found = tuple(values(raw[negation if negated else element], element))
    if not found:
        raise MalformedPolicy(f"Missing required field {element}")
    return Names(found, negated)


def _texts(raw: Any, element: str) -> list[str]:
    values = raw if isinstance(raw, list) else [raw]
    if not all(isinstance(value, str) and value for value in values):
        raise MalformedPolicy(f"Policy has invalid {element.lower()}")
    return values


def _principals(raw: Any, _element: str) -> Iterator[str]:
    if raw == "*":
        yield "*"
        return
    if not isinstance(raw, dict) or raw.keys() - _NAMES.keys():
        raise MalformedPolicy("Invalid principal in policy")
    for kind, names in raw.items():
        for name in names if isinstance(names, list) else [names]:
            if not isinstance(name, str) or _NAMES[kind].fullmatch(name) is None:
                raise MalformedPolicy("Invalid principal in policy")
            yield "*" if (kind, name) == ("AWS", "*") else f"{kind}:{name}"


def _conditions(raw: Any) -> Iterator[Condition]:
    if not isinstance(raw, dict):
        raise MalformedPolicy("Invalid policy syntax.")
    for name, keys in raw.items():
        if not isinstance(keys, dict):
            raise MalformedPolicy("Invalid policy syntax.")
        for key, values in keys.items():
            yield _condition(name, key, values)


def _condition(written: str, key: str, raw: Any) -> Condition:
    quantifier = next((each for each in _QUANTIFIERS if written.startswith(each)), "")
    name = written.removeprefix(quantifier)
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name not in OPERATORS and (name != "Null" or if_exists):
        raise MalformedPolicy(f"Invalid Condition type : {written}")
    values = tuple(_value(each) for each in (raw if isinstance(raw, list) else [raw]))
    operator = OPERATORS.get(name)
    sample = next((value for start, value in SAMPLES.items() if name.startswith(start)), None)
    for value in values:
        if name == "Null" and value not in ("true", "false"):
            raise MalformedPolicy(f"Invalid value for condition {written}: {value}")
        if operator and sample is not None and not has_variable(value):
            try:
                operator.compare(value, sample, None)
            except ValueError:
                raise MalformedPolicy(f"Invalid value for condition {written}: {value}") from None
    return Condition(name, operator, key.lower(), values, quantifier, if_exists)


def _value(raw: Any) -> str:
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, str | int | float):
        return str(raw)
    raise MalformedPolicy("Invalid policy syntax.")
