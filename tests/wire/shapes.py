"""Hypothesis strategies of values for botocore's shapes: whatever a shape's type allows, within what its protocol
can carry. Constraints (lengths, patterns, enumerations) are none of the protocols' business and are not followed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import Shape, StructureShape
from hypothesis import strategies as st

MAX_DEPTH = 3
OMIT = object()
"""Drawn where a value would be too deep, or where the protocol cannot tell it from nothing."""

TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=8)
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=12).map(str.strip)
LISTED = PRINTABLE.filter(lambda text: bool(text) and "\\" not in text)
"""Elements of a list in a header, where botocore escapes quotes but no backslashes: two lists may be sent alike."""
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff", include_characters="\t\n"),
    max_size=12,
)
"""What XML 1.0 can carry. A carriage return is left out: ElementTree, which botocore writes with, loses it."""

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "timestamp": st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)).map(
        # HTTP dates have no fractions.
        lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
    ),
    "blob": st.binary(max_size=24),
}


@dataclass(frozen=True)
class Dialect:
    """What a protocol can carry in a body."""

    text: st.SearchStrategy[str]
    keeps_empty: bool = True
    """Whether an empty structure or map differs from none at all."""


JSON = Dialect(ANY_TEXT)
XML = Dialect(XML_TEXT)
FORM = Dialect(ANY_TEXT, keeps_empty=False)

REQUESTS = {"json": JSON, "rest-json": JSON, "rest-xml": XML, "query": FORM}
RESPONSES = {"json": JSON, "rest-json": JSON, "rest-xml": XML, "query": XML}


def values(shape: StructureShape | None, dialect: Dialect) -> st.SearchStrategy[dict[str, Any]]:
    """Members of an operation's input or output, those that travel outside of the body included."""
    if shape is None:
        return st.just({})

    @st.composite
    def members(draw: Callable[..., Any]) -> dict[str, Any]:
        drawn = _members(draw, shape, dialect, 0)
        return {} if drawn is OMIT else drawn

    return members()


def _members(draw: Callable[..., Any], shape: StructureShape, dialect: Dialect, depth: int) -> Any:
    names = list(shape.members)
    if shape.is_tagged_union:
        chosen = {draw(st.sampled_from(names))}
    else:
        bits = draw(st.integers(0, 2 ** len(names) - 1))
        always = {*shape.required_members, *(n for n in names if _located(shape.members[n], "uri"))}
        chosen = {name for i, name in enumerate(names) if bits >> i & 1 or (name in always and depth == 0)}
    drawn = {name: _value(draw, shape.members[name], dialect, depth + 1) for name in names if name in chosen}
    kept = {name: value for name, value in drawn.items() if value is not OMIT}
    if not kept and (shape.is_tagged_union or not dialect.keeps_empty):
        return OMIT
    return kept


def _located(shape: Shape, *locations: str) -> bool:
    return shape.serialization.get("location") in locations


def _value(draw: Callable[..., Any], shape: Shape, dialect: Dialect, depth: int) -> Any:
    if shape.serialization.get("eventstream"):
        return OMIT
    if shape.type_name == "structure":
        return OMIT if depth > MAX_DEPTH else _members(draw, shape, dialect, depth)
    if shape.type_name == "list":
        return OMIT if depth > MAX_DEPTH else _list(draw, shape, dialect, depth)
    if shape.type_name == "map":
        return OMIT if depth > MAX_DEPTH else _map(draw, shape, dialect, depth)
    if shape.type_name == "string":
        return draw(_text(shape, dialect))
    return draw(SCALARS[shape.type_name])


def _text(shape: Shape, dialect: Dialect) -> st.SearchStrategy[str]:
    if shape.serialization.get("hostLabel"):
        return TOKEN
    if _located(shape, "uri"):
        return dialect.text.filter(bool)
    if _located(shape, "header"):
        return PRINTABLE
    return dialect.text


def _list(draw: Callable[..., Any], shape: Shape, dialect: Dialect, depth: int) -> Any:
    in_header = _located(shape, "header")
    length = draw(st.integers(1 if in_header else 0, 2))
    items = [draw(LISTED) if in_header else _value(draw, shape.member, dialect, depth + 1) for _ in range(length)]
    kept = [item for item in items if item is not OMIT]
    if not kept and dialect is XML and shape.serialization.get("flattened"):
        return OMIT
    return kept


def _map(draw: Callable[..., Any], shape: Shape, dialect: Dialect, depth: int) -> Any:
    if _located(shape, "headers"):
        return draw(st.dictionaries(TOKEN, PRINTABLE, min_size=1, max_size=2))
    keys = draw(st.lists(dialect.text, max_size=2, unique=True))
    drawn = {key: _value(draw, shape.value, dialect, depth + 1) for key in keys}
    kept = {key: value for key, value in drawn.items() if value is not OMIT}
    return kept if kept or dialect.keeps_empty else OMIT


def as_house(value: Any) -> Any:
    """The same value as the house holds it: timestamps as epoch seconds."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, dict):
        return {key: as_house(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_house(item) for item in value]
    return value
