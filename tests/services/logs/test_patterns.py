"""Filter patterns against events, by the examples of the CloudWatch Logs User Guide and by properties."""

import contextlib
import json
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clary.services.logs.patterns import compile_pattern
from clary.services.logs.patterns.columns import columns_of
from clary.wire.errors import ServiceError

EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "ThisFlag": True,
        "latency": 1200.5,
        "code": "404",
        "cluster.name": "blue",
        "coordinates": [[0, 1, 2], [4, 5, 6]],
    }
)

ACCESS = (
    '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /apache_pb.gif HTTP/1.0" 200 1534',
    '127.0.0.1 - frank [10/Oct/2000:13:35:22 -0700] "GET /apache_pb.html HTTP/1.0" 403 5324',
    '127.0.0.1 - frank [10/Oct/2000:13:50:35 -0700] "GET /index.html HTTP/1.0" 404 355',
)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "UpdateTrail" }',
        "{$.eventType=Update*}",
        "{ $.eventType = *Trail }",
        "{ $.eventType != DeleteTrail }",
        "{ $.eventType = %^Update[A-Z]% }",
        "{ $.sourceIPAddress != 123.123.* }",
        '{ $.arrayKey[0] = "value" }',
        '{ $.arrayKey[*] = "another value" }',
        "{ $.objectList[1].id = 2 }",
        "{ $.objectList[*].id = 2 }",
        "{ $.SomeObject IS NULL }",
        "{ $.SomeOtherObject NOT EXISTS }",
        "{ $.ThisFlag IS TRUE }",
        "{ $.latency > 1000 && $.latency <= 1.3e3 }",
        "{ $.latency > +1000 }",
        "{ $.latency = * }",
        "{ $.code = 404 }",
        '{ $.["cluster.name"] = "blue" }',
        "{ $.['cluster.name'] = \"blue\" }",
        "{ $.coordinates[1][2] = 6 }",
        "{ $.latency = 0 && $.code = 0 || $.ThisFlag IS TRUE }",
        "{ ($.latency = 0 || $.code = 404) && $.ThisFlag IS TRUE }",
    ],
)
def test_a_pattern_finds_its_document(pattern: str) -> None:
    assert compile_pattern(pattern)(EVENT)


@pytest.mark.parametrize(
    "pattern",
    [
        '{ $.eventType = "updatetrail" }',
        "{ $.eventType = Up*il }",
        "{ $.arrayKey = value }",
        "{ $.arrayKey != value }",
        "{ $.nothing != value }",
        "{ $.eventType[0] = U }",
        "{ $.arrayKey[7] = value }",
        "{ $.ThisFlag IS FALSE }",
        "{ $.ThisFlag IS NULL }",
        "{ $.SomeObject NOT EXISTS }",
        "{ $.latency < 1000 }",
        "{ $.code > 300 }",
        "{ $.latency = 0 || $.code = 404 && $.ThisFlag IS FALSE }",
        "{ ($.ThisFlag IS TRUE || $.code = 404) && $.latency = 0 }",
    ],
)
def test_a_pattern_passes_over_another_document(pattern: str) -> None:
    assert not compile_pattern(pattern)(EVENT)


@pytest.mark.parametrize("text", ["", "not JSON", "[1, 2]", "7", '{"a": '])
def test_an_event_that_is_no_such_document_matches_nothing(text: str) -> None:
    assert not compile_pattern("{ $.a != 1 }")(text)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[ip, user, username, timestamp, request, status_code, bytes]", [0, 1, 2]),
        ("[ip, user, username, timestamp, request, status_code, bytes > 1000]", [0, 1]),
        ("[ip, user, username, timestamp, request, status_code = 200, bytes]", [0]),
        ("[ip, user, username, timestamp, request, status_code = 4*, bytes]", [1, 2]),
        ("[ip, user, username, timestamp, request = *html*, status_code = 4*, bytes]", [1, 2]),
        ("[ip, user, username, timestamp, request, status_code = 4* && status_code != 403, bytes]", [2]),
        ("[..., status_code = 4* && bytes > 1000, bytes]", [1]),
        ("[ip, user, ..., status_code >= 403, bytes]", [1, 2]),
        ("[..., request=*.html*, status_code=4*,]", [1, 2]),
        ("[ip=%127\\.0\\.0\\.[1-9]%, ..., status=%40[34]%, size]", [1, 2]),
        ("[..., size < 400 || size > 5000]", [1, 2]),
        ('[ip, user, username, timestamp = "10/Oct/2000:13:25:15 -0700", ...]', [0]),
        ("[ip, ...]", [0, 1, 2]),
        ("[a, b]", []),
        ("[a, b, c, d, e, f, g, h, ...]", []),
    ],
)
def test_columns_are_told_by_their_place(pattern: str, found: list[int]) -> None:
    matches = compile_pattern(pattern)
    assert [number for number, line in enumerate(ACCESS) if matches(line)] == found


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("[w1=ERROR, w2]", ["ERROR message"]),
        ("[w1=ERROR || w1=WARN, w2]", ["ERROR message", "WARN message"]),
        ("%E[RO]+ %", ["ERROR WARN message", "ERROR message"]),
    ],
)
def test_words_are_columns_too(pattern: str, found: list[str]) -> None:
    lines = ["ERROR WARN message", "ERROR message", "WARN message"]
    assert list(filter(compile_pattern(pattern), lines)) == found


@pytest.mark.parametrize(
    "pattern",
    [
        "{ }",
        "{ $ = 1 }",
        "{ $.a }",
        "{ $.a = }",
        "{ $.a > x }",
        "{ $.a = 1 } more",
        "{ $.a = 1 && }",
        "{ ($.a = 1 }",
        "{ $.a IS MAYBE }",
        "{ $.a[*].b[*] = 1 }",
        "{ $.a = %(b)% }",
        "{ $.a = %[% }",
        "{ $.a = %b% && $.c = %d% && $.e = %f% }",
        "{ " + "(" * 200 + "$.a = 1" + ")" * 200 + " }",
        "[a, b",
        "[a = ]",
        "[a, a]",
        "[..., a, ...]",
        "[a = 1 && b = 2]",
        "%a% b",
        "%a!%",
    ],
)
def test_a_malformed_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ServiceError, match=re.escape(pattern[:8])) as refused:
        compile_pattern(pattern)
    assert refused.value.code == "InvalidParameterException"


def test_an_expression_has_no_more_than_its_time() -> None:
    matches = compile_pattern("%.*a.*a.*a.*a.*a[bc]%")
    began = time.monotonic()
    with pytest.raises(ServiceError, match="takes too long"):
        matches("a" * 100_000)
    assert time.monotonic() - began < 5


def test_a_line_of_unclosed_brackets_is_read_quickly() -> None:
    began = time.monotonic()
    assert len(columns_of('[a "b ' * 100_000)) == 200_000
    assert time.monotonic() - began < 5


@given(st.text("{}[]()$.,=!<>&|*%\"' aIS NULTREXO019\\-…", max_size=40), st.text(max_size=20))
def test_whatever_is_asked_is_answered_or_refused(pattern: str, text: str) -> None:
    with contextlib.suppress(ServiceError):
        assert compile_pattern(pattern)(text) in (True, False)


NUMBERS = st.integers(-3, 3)
COMPARISONS = st.tuples(st.sampled_from("abc"), st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), NUMBERS)
CONDITIONS: st.SearchStrategy[Any] = st.recursive(
    COMPARISONS, lambda inner: st.tuples(st.sampled_from(["&&", "||"]), inner, inner), max_leaves=8
)


def written(condition: Any, place: str) -> str:
    """As a pattern, with the parentheses that are needed."""
    left, middle, right = condition
    if left in ("&&", "||"):
        return f"({written(middle, place)}) {left} ({written(right, place)})"
    return f"{place}{left} {middle} {right}"


def holds(condition: Any, row: dict[str, int]) -> bool:
    left, middle, right = condition
    if left == "&&":
        return holds(middle, row) and holds(right, row)
    if left == "||":
        return holds(middle, row) or holds(right, row)
    operation = {"=": "==", "!=": "!="}.get(middle, middle)
    return left in row and bool(eval(f"{row[left]} {operation} {right}"))


@given(CONDITIONS, st.dictionaries(st.sampled_from("abc"), NUMBERS))
def test_a_condition_holds_for_a_document_as_it_is_written(condition: Any, row: dict[str, int]) -> None:
    assert compile_pattern(f"{{ {written(condition, '$.')} }}")(json.dumps(row)) == holds(condition, row)


@given(CONDITIONS, NUMBERS, NUMBERS, NUMBERS)
def test_a_condition_holds_for_columns_as_it_is_written(condition: Any, a: int, b: int, c: int) -> None:
    pattern = f"[a = * && ({written(condition, '')}), ..., b, c]"
    assert compile_pattern(pattern)(f"{a} x [y z] {b} {c}") == holds(condition, {"a": a, "b": b, "c": c})


PLAIN = st.text(
    st.characters(exclude_categories=["Cs", "Zs", "Cc"], exclude_characters='"[]\\\u2028\u2029'), min_size=1
)
SPACED = st.text("ab c-/:", max_size=8)


@given(
    st.lists(
        st.one_of(PLAIN.map(lambda t: (t, t)), SPACED.map(lambda t: (f"[{t}]", t)), SPACED.map(lambda t: (f'"{t}"', t)))
    )
)
def test_columns_are_read_as_they_were_put(columns: list[tuple[str, str]]) -> None:
    assert columns_of(" ".join(raw for raw, _ in columns)) == [value for _, value in columns]
