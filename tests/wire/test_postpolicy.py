"""What a form's policy allows."""

import base64
import json
from typing import Any

import pytest

from clary.wire.errors import ServiceError
from clary.wire.postpolicy import LARGEST, check_policy

NOW = 1_000_000_000.0
LATER = "2001-09-09T01:46:41.000Z"


def check(conditions: Any, fields: dict[str, str], expiration: Any = LATER) -> tuple[int, int]:
    document = {"expiration": expiration, "conditions": conditions}
    return check_policy(base64.b64encode(json.dumps(document).encode()).decode(), fields, "bucket", NOW)


@pytest.mark.parametrize(
    ("conditions", "fields"),
    [
        ([{"key": "a"}], {"key": "a"}),
        ([{"Key": "a"}], {"key": "a"}),
        ([["eq", "$key", "a"]], {"key": "a"}),
        ([["starts-with", "$key", "a/"]], {"key": "a/b"}),
        ([["starts-with", "$key", ""]], {"key": "anything"}),
        ([{"bucket": "bucket"}, ["eq", "$key", "a"]], {"key": "a"}),
        ([{"key": "a"}], {"key": "a", "policy": "x", "x-amz-signature": "x", "x-ignore-me": "x"}),
    ],
)
def test_a_form_that_is_allowed(conditions: Any, fields: dict[str, str]) -> None:
    assert check(conditions, fields) == (0, LARGEST)


@pytest.mark.parametrize(
    ("conditions", "fields", "message"),
    [
        ([{"key": "a"}], {"key": "b"}, 'Policy Condition failed: {"key": "a"}'),
        ([["starts-with", "$key", "a/"]], {"key": "b/a/"}, "Policy Condition failed"),
        ([{"bucket": "another"}, {"key": "a"}], {"key": "a"}, "Policy Condition failed"),
        ([{"key": "a"}, {"acl": "private"}], {"key": "a"}, "Policy Condition failed"),
        ([{"key": "a"}], {"key": "a", "acl": "private"}, "Extra input fields: acl"),
        ([], {"key": "a"}, "Extra input fields: key"),
    ],
)
def test_a_form_that_is_not(conditions: Any, fields: dict[str, str], message: str) -> None:
    with pytest.raises(ServiceError) as error:
        check(conditions, fields)
    assert (error.value.code, error.value.status) == ("AccessDenied", 403)
    assert error.value.message.startswith(f"Invalid according to Policy: {message}")


def test_sizes_and_times() -> None:
    assert check([["content-length-range", 5, 10], ["content-length-range", "1", "8"]], {}) == (5, 8)
    with pytest.raises(ServiceError, match="Policy expired"):
        check([], {}, "2001-09-09T01:46:39Z")


@pytest.mark.parametrize(
    ("conditions", "expiration"),
    [
        ("all", LATER),
        (["all"], LATER),
        ([["like", "$key", "a"]], LATER),
        ([["eq", "key", "a"]], LATER),
        ([["content-length-range", "few", "many"]], LATER),
        ([], "tomorrow"),
        ([], "2001-09-09T01:46:41"),
        ([], 5),
    ],
)
def test_what_is_no_policy(conditions: Any, expiration: Any) -> None:
    with pytest.raises(ServiceError) as error:
        check(conditions, {}, expiration)
    assert (error.value.code, error.value.status) == ("InvalidPolicyDocument", 400)


@pytest.mark.parametrize("policy", ["", "no base64", base64.b64encode(b"[" * 100_000).decode()])
def test_what_is_no_document(policy: str) -> None:
    with pytest.raises(ServiceError, match=r"Invalid JSON\."):
        check_policy(policy, {}, "bucket", NOW)
