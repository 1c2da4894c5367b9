"""Filter policies: which messages they let through."""

from typing import Any

import orjson
import pytest

from clary.services.sns.filters import checked_filter, fits
from clary.wire.errors import ServiceError

ATTRIBUTES: dict[str, dict[str, Any]] = {
    "kind": {"DataType": "String", "StringValue": "alarm"},
    "score": {"DataType": "Number", "StringValue": "0.5"},
    "tags": {"DataType": "String.Array", "StringValue": '["a", 7, true, null]'},
    "raw": {"DataType": "Binary", "BinaryValue": "AA=="},
}


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, True),
        ({"kind": ["alarm"]}, True),
        ({"kind": ["other", {"prefix": "al"}]}, True),
        ({"kind": [{"suffix": "al"}]}, False),
        ({"kind": [{"equals-ignore-case": "ALARM"}]}, True),
        ({"kind": [{"anything-but": ["alarm", "other"]}]}, False),
        ({"kind": [{"anything-but": "other"}]}, True),
        ({"kind": [{"anything-but": {"prefix": "al"}}]}, False),
        ({"kind": [{"exists": True}], "none": [{"exists": False}]}, True),
        ({"none": [{"anything-but": "x"}]}, False),
        ({"score": [{"numeric": [">", 0, "<=", 0.5]}]}, True),
        ({"score": [{"numeric": ["<", 0.5]}]}, False),
        ({"score": [0.5]}, True),
        ({"tags": [7]}, True),
        ({"tags": [True]}, True),
        ({"tags": [None]}, True),
        ({"tags": [1]}, False),
        ({"raw": ["AA=="]}, False),
        ({"kind": ["alarm"], "score": [1]}, False),
    ],
)
def test_what_a_policy_lets_through(policy: dict[str, Any], expected: bool) -> None:
    checked_filter(orjson.dumps(policy).decode())
    assert fits(policy, ATTRIBUTES) is expected


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ("[]", "must be an object"),
        ("{", "failed to parse JSON"),
        ('{"a": "b"}', "must be an object or an array"),
        ('{"a": [{"prefix": 1}]}', "must be a string"),
        ('{"a": [{"numeric": ["~", 1]}]}', "operators"),
        ('{"a": [{"cidr": "10.0.0.0/8"}]}', "The condition 'cidr' of a is not built"),
        ('{"$or": [{"a": ["b"]}]}', r"\$or is not built"),
    ],
)
def test_what_is_no_policy(policy: str, message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        checked_filter(policy)
