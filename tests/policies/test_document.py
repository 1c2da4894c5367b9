"""What is a policy, and what is said of a text that is none."""

import json
from typing import Any

import pytest

from clary.policies.document import MalformedPolicy, read

STATEMENT: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": "*",
    "Action": "s3:GetObject",
    "Resource": "arn:aws:s3:::bucket/*",
}


def without(element: str) -> dict[str, Any]:
    return {name: value for name, value in STATEMENT.items() if name != element}


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        (without("Effect"), "Missing required field Effect"),
        (without("Principal"), "Missing required field Principal"),
        (without("Action"), "Missing required field Action"),
        (without("Resource"), "Missing required field Resource"),
        (STATEMENT | {"Action": []}, "Missing required field Action"),
        (STATEMENT | {"Effect": "Permit"}, "Invalid effect: Permit"),
        (STATEMENT | {"Colour": "red"}, "Unknown field Colour"),
        (STATEMENT | {"NotAction": "s3:*"}, "Statement must not have both Action and NotAction"),
        (STATEMENT | {"Principal": "everybody"}, "Invalid principal in policy"),
        (STATEMENT | {"Principal": {"AWS": "arn:aws:iam::1:role/*"}}, "Invalid principal in policy"),
        (STATEMENT | {"Principal": {"AWS": "ann"}}, "Invalid principal in policy"),
        (STATEMENT | {"Principal": {"Service": "*"}}, "Invalid principal in policy"),
        (STATEMENT | {"Principal": {"Dog": "*"}}, "Invalid principal in policy"),
        (STATEMENT | {"Condition": {"StringIs": {"a": "b"}}}, "Invalid Condition type : StringIs"),
        (STATEMENT | {"Condition": {"NullIfExists": {"a": "true"}}}, "Invalid Condition type : NullIfExists"),
        (
            STATEMENT | {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/33"}}},
            "Invalid value for condition IpAddress: 10.0.0.0/33",
        ),
        (
            STATEMENT | {"Condition": {"NumericEqualsIfExists": {"s3:max-keys": "many"}}},
            "Invalid value for condition NumericEqualsIfExists: many",
        ),
        (
            STATEMENT | {"Condition": {"DateLessThan": {"aws:CurrentTime": "soon"}}},
            "Invalid value for condition DateLessThan: soon",
        ),
        ("Allow", "Invalid policy syntax."),
    ],
)
def test_a_statement_that_is_none(statement: Any, message: str) -> None:
    with pytest.raises(MalformedPolicy) as error:
        read(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Policies must be valid JSON and the first byte must be '{'"),
        ("[" * 100_000, "Policies must be valid JSON and the first byte must be '{'"),
        ("[]", "Policies must be valid JSON and the first byte must be '{'"),
        ("{}", "Missing required field Statement"),
        ('{"Statement": []}', "Missing required field Statement"),
        ('{"Version": "2020-01-01", "Statement": []}', "The policy must contain a valid version string"),
        ('{"Statement": [], "Name": "x"}', "Unknown field Name"),
    ],
)
def test_a_text_that_is_none(text: str, message: str) -> None:
    with pytest.raises(MalformedPolicy) as error:
        read(text)
    assert str(error.value) == message


def test_a_policy_of_an_identity_names_no_principal() -> None:
    read(json.dumps({"Statement": without("Principal")}), of_resource=False)
    with pytest.raises(MalformedPolicy):
        read(json.dumps({"Statement": STATEMENT}), of_resource=False)
