"""Filters and joins, on the examples of AWS's documents and beside them."""

from typing import Any

import pytest

from clary.instance.spec import Transform
from clary.instance.transform.joining import Joining, Unjoinable
from clary.instance.transform.jsonpath import NotThere, Path


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("$", [1, 2], [1, 2]),
        ("$[1:]", [0, 1, 2], [1, 2]),
        ("$[-1]", [0, 1, 2], 2),
        ("$[1, 0]", [0, 1, 2], [1, 0]),
        ("$[0,5:]", [0, 1, 2, 3, 4, 5, 6], [0, 5, 6]),
        ("$[:2]", [0, 1, 2], [0, 1]),
        ("$.features", {"id": 1, "features": [1, 2]}, [1, 2]),
        ("$['id','SageMakerOutput']", {"id": 1, "x": 2, "SageMakerOutput": 3}, {"id": 1, "SageMakerOutput": 3}),
        ('$["a b"]', {"a b": 1}, 1),
        ("$.field.['a','b']", {"field": {"a": 1, "b": 2, "c": 3}}, {"a": 1, "b": 2}),
        ("$.id.*", {"id": {"a": 1, "b": 2}}, [1, 2]),
        ("$[*].id", [{"id": 1}, {"id": 2}], [1, 2]),
        ("$.a[0].b", {"a": [{"b": 7}]}, 7),
    ],
)
def test_a_path_selects(path: str, value: Any, found: Any) -> None:
    assert Path(path).select(value) == found


@pytest.mark.parametrize("path", ["", "id", "$..id", "$[", "$[?(@.x)]", "$[a]", "$['a',]", "$.", "$.a b", "$[1:2:3]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"\$|operator|indexes"):
        Path(path)


@pytest.mark.parametrize(
    ("path", "value"), [("$[3]", [1]), ("$[0,3]", [1]), ("$.x", {"y": 1}), ("$.x", [1]), ("$[0]", {"a": 1})]
)
def test_what_is_not_there_is_an_error(path: str, value: Any) -> None:
    with pytest.raises(NotThere):
        Path(path).select(value)


def joining(content_type: str, **more: Any) -> Joining:
    return Joining(Transform([], "out", content_type=content_type, **more))


def test_rows_are_joined_as_rows() -> None:
    rows = b'7,"a,b",1\r\n8,c,2'
    plain = joining("text/csv", split="Line", joins=True)
    assert plain.request(rows) is rows
    assert plain.keep(rows, b"0.5\n0.6\n") == b'7,"a,b",1,0.5\n8,c,2,0.6\n'
    filtered = joining("text/csv", split="Line", joins=True, input_filter="$[1:]", output_filter="$[1,-1]")
    assert filtered.request(rows) == b'"a,b",1\nc,2'
    assert filtered.keep(rows, b"0.5\n0.6") == b'"a,b",0.5\nc,0.6'
    with pytest.raises(Unjoinable, match="2 records were sent, and 1 came back"):
        plain.keep(rows, b"0.5,0.6")
    with pytest.raises(Unjoinable, match=r"OutputFilter \$\[9\]: there is no index 9 among 4"):
        joining("text/csv", split="Line", joins=True, output_filter="$[9]").keep(rows, b"0.5\n0.6")


def test_objects_are_given_the_answer_as_a_member_and_others_are_wrapped() -> None:
    lines = b'{"id":1,"features":[1,2]}\n[3,4]\n'
    joined = joining("application/jsonlines", split="Line", joins=True)
    assert joined.keep(lines, b'{"score":0.5}\n0.6') == (
        b'{"id":1,"features":[1,2],"SageMakerOutput":{"score":0.5}}\n{"SageMakerInput":[3,4],"SageMakerOutput":0.6}'
    )
    document = joining("application/json", joins=True, input_filter="$.features", output_filter="$.SageMakerOutput[0]")
    whole = b'{\n "id": 1,\n "features": [1, 2]\n}'
    assert document.request(whole) == b"[1,2]"
    assert document.keep(whole, b"[\n 5,\n 6]") == b"5"
    with pytest.raises(Unjoinable, match="InputFilter"):
        document.request(b"no json")
