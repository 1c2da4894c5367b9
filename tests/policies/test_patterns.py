"""Wildcards and variables of policies."""

import re
import time
from fnmatch import translate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.policies.patterns import matches


def context(key: str) -> list[str] | None:
    return {"aws:username": ["ann"], "odd": ["a*b"], "many": ["one", "two"]}.get(key)


@pytest.mark.parametrize(
    ("pattern", "value", "fits"),
    [
        ("*", "", True),
        ("s3:Get*", "s3:GetObject", True),
        ("s3:Get*", "s3:PutObject", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*.csv", "data/x.csv", True),
        ("*.csv", "x.csv.gz", False),
        ("a*a", "a", False),
        ("a.c", "abc", False),
        ("line\n*", "line\nbreak", True),
        ("home/${aws:username}/*", "home/ann/file", True),
        ("home/${aws:username}/*", "home/bob/file", False),
        ("home/${AWS:UserName}/*", "home/ann/file", True),
        ("${odd}", "a*b", True),
        ("${odd}", "axb", False),
        ("${missing}", "", False),
        ("${missing, 'who'}", "who", True),
        ("${many}", "one", False),
        ("${*}${?}${$}", "*?$", True),
    ],
)
def test_examples(pattern: str, value: str, fits: bool) -> None:
    assert matches(pattern, value, context) is fits


def test_without_variables_they_are_text() -> None:
    assert matches("${aws:username}", "${aws:username}")


@given(st.text("ab*?", max_size=12), st.text("ab", max_size=12))
def test_wildcards_are_those_of_the_shell(pattern: str, value: str) -> None:
    assert matches(pattern, value) is (re.fullmatch(translate(pattern), value) is not None)


def test_a_hostile_pattern_takes_no_longer_than_another() -> None:
    begun = time.monotonic()
    assert not matches("*a" * 60 + "*b", "a" * 1024)
    assert time.monotonic() - begun < 1.0
