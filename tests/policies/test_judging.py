"""What policies say of calls."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from clary.policies.document import read
from clary.policies.judging import Question, Verdict, judge
from clary.policies.public import is_public

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/Trainer"
CALLER = frozenset({f"AWS:{ACCOUNT}", f"AWS:arn:aws:iam::{ACCOUNT}:root", f"AWS:{ROLE}"})
OBJECT = "arn:aws:s3:::bucket/home/ann/file"


def verdict(statements: Any, version: str = "2012-10-17", **keys: Any) -> Verdict:
    """Of GetObject by `CALLER`, whose call has the condition keys `keys` (`aws__sourceip`)."""
    values: Mapping[str, Any] = {name.replace("__", ":"): value for name, value in keys.items()}

    def context(key: str) -> list[str] | None:
        found = values.get(key)
        return found if found is None or isinstance(found, list) else [str(found)]

    policy = read(json.dumps({"Version": version, "Statement": statements}))
    return judge(policy, Question(CALLER, "s3:GetObject", OBJECT, context))


def deny(**elements: Any) -> dict[str, Any]:
    chosen = {"Effect": "Deny", **elements}
    for element, value in (("Principal", "*"), ("Action", "s3:*"), ("Resource", "*")):
        if f"Not{element}" not in chosen:
            chosen.setdefault(element, value)
    return chosen


@pytest.mark.parametrize(
    ("elements", "speaks"),
    [
        ({}, True),
        ({"Action": "s3:getobject"}, True),
        ({"Action": ["s3:PutObject", "s3:Get*"]}, True),
        ({"Action": "s3:PutObject"}, False),
        ({"NotAction": "s3:PutObject"}, True),
        ({"NotAction": ["s3:Get*"]}, False),
        ({"Resource": "arn:aws:s3:::bucket/home/*"}, True),
        ({"Resource": "arn:aws:s3:::bucket"}, False),
        ({"Resource": "arn:aws:s3:::BUCKET/*"}, False),
        ({"NotResource": "arn:aws:s3:::bucket/home/*"}, False),
        ({"NotResource": "arn:aws:s3:::bucket/tmp/*"}, True),
        ({"Principal": {"AWS": ACCOUNT}}, True),
        ({"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:role/Other", ROLE]}}, True),
        ({"Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}}, False),
        ({"Principal": {"Service": "logging.s3.amazonaws.com"}}, False),
        ({"NotPrincipal": {"AWS": ROLE}}, False),
        ({"NotPrincipal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/Other"}}, True),
    ],
)
def test_elements(elements: dict[str, Any], speaks: bool) -> None:
    assert verdict(deny(**elements)) is (Verdict.DENY if speaks else Verdict.NEUTRAL)


@pytest.mark.parametrize(
    ("operator", "wanted", "keys", "holds"),
    [
        ("StringEquals", "a", {"k": "a"}, True),
        ("StringEquals", ["a", "b"], {"k": "b"}, True),
        ("StringEquals", "a", {"k": "A"}, False),
        ("StringEquals", "a", {}, False),
        ("StringEquals", "a*", {"k": "ab"}, False),
        ("StringEqualsIfExists", "a", {}, True),
        ("StringEqualsIfExists", "a", {"k": "b"}, False),
        ("StringNotEquals", "a", {}, True),
        ("StringNotEquals", ["a", "b"], {"k": "b"}, False),
        ("StringNotEquals", ["a", "b"], {"k": "c"}, True),
        ("StringEqualsIgnoreCase", "a", {"k": "A"}, True),
        ("StringNotEqualsIgnoreCase", "a", {"k": "A"}, False),
        ("StringLike", "a*", {"k": "ab"}, True),
        ("StringNotLike", "a*", {"k": "ab"}, False),
        ("NumericLessThan", "10", {"k": "9"}, True),
        ("NumericLessThan", 10, {"k": "10"}, False),
        ("NumericLessThanEquals", "10", {"k": "10"}, True),
        ("NumericGreaterThan", "10", {"k": "9"}, False),
        ("NumericNotEquals", "10", {"k": "10.0"}, False),
        ("NumericEquals", "10", {"k": "ten"}, False),
        ("DateGreaterThan", "2020-01-01T00:00:00Z", {"k": "2020-01-01T00:00:01Z"}, True),
        ("DateLessThan", "2020-01-01", {"k": "1577836799"}, True),
        ("Bool", "false", {"k": "false"}, True),
        ("Bool", False, {"k": "true"}, False),
        ("BinaryEquals", "YQ==", {"k": "YQ=="}, True),
        ("IpAddress", "10.0.0.0/8", {"k": "10.1.2.3"}, True),
        ("IpAddress", "10.0.0.0/8", {"k": "::1"}, False),
        ("IpAddress", "10.0.0.0/8", {"k": "::ffff:10.1.2.3"}, True),
        ("NotIpAddress", ["10.0.0.0/8", "::1"], {"k": "192.168.0.1"}, True),
        ("NotIpAddress", ["10.0.0.0/8", "::1"], {"k": "::1"}, False),
        ("ArnLike", "arn:aws:iam::*:role/T*", {"k": ROLE}, True),
        ("ArnEquals", "arn:*:role/Trainer", {"k": ROLE}, False),
        ("ArnNotLike", "arn:aws:iam::*:role/T*", {"k": ROLE}, False),
        ("Null", "true", {}, True),
        ("Null", "true", {"k": "x"}, False),
        ("Null", "false", {"k": "x"}, True),
        ("ForAllValues:StringEquals", ["a", "b"], {"k": ["a", "b", "a"]}, True),
        ("ForAllValues:StringEquals", ["a", "b"], {"k": ["a", "c"]}, False),
        ("ForAllValues:StringEquals", ["a", "b"], {}, True),
        ("ForAnyValue:StringEquals", ["a", "b"], {"k": ["c", "b"]}, True),
        ("ForAnyValue:StringEquals", ["a", "b"], {"k": ["c"]}, False),
        ("ForAnyValue:StringEquals", ["a", "b"], {}, False),
        ("ForAnyValue:StringNotEquals", "a", {"k": ["a", "b"]}, True),
        ("StringEquals", "${aws:username}", {"k": "ann", "aws__username": "ann"}, True),
        ("StringLike", "home/${aws:username}/*", {"k": "home/ann/x", "aws__username": "ann"}, True),
        ("StringEquals", "${aws:username}", {"k": "ann"}, False),
    ],
)
def test_conditions(operator: str, wanted: Any, keys: dict[str, Any], holds: bool) -> None:
    expected = Verdict.DENY if holds else Verdict.NEUTRAL
    assert verdict(deny(Condition={operator: {"K": wanted}}), **keys) is expected


def test_all_conditions_must_hold() -> None:
    condition = {"StringEquals": {"a": "1", "b": "2"}}
    assert verdict(deny(Condition=condition), a="1", b="2") is Verdict.DENY
    assert verdict(deny(Condition=condition), a="1", b="3") is Verdict.NEUTRAL


def test_a_denial_wins_over_whatever_allows() -> None:
    allow = deny() | {"Effect": "Allow"}
    assert verdict([allow]) is Verdict.ALLOW
    assert verdict([allow, deny(Action="s3:Get*")]) is Verdict.DENY
    assert verdict([allow, deny(Action="s3:Put*")]) is Verdict.ALLOW


def test_variables_came_with_the_newer_version() -> None:
    statement = deny(Resource="arn:aws:s3:::bucket/home/${aws:username}/*")
    assert verdict(statement, aws__username="ann") is Verdict.DENY
    assert verdict(statement, version="2008-10-17", aws__username="ann") is Verdict.NEUTRAL


@pytest.mark.parametrize(
    ("elements", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": "*"}}, True),
        ({"Principal": {"AWS": ACCOUNT}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}}, True),
        ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, False),
        ({"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, True),
        ({"Condition": {"StringEquals": {"aws:Referer": "https://example.com"}}}, True),
    ],
)
def test_what_is_public(elements: dict[str, Any], public: bool) -> None:
    statement = deny() | {"Effect": "Allow"} | elements
    assert is_public(read(json.dumps({"Statement": statement}))) is public
