"""Query requests: a form of dotted names → plain dicts.

Tags.member.1.Key=a&Tags.member.1.Value=b  ─▶  {"Tags": [{"Key": "a", "Value": "b"}]}
"""

from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from clary.wire.models import ShapeCompiler
from clary.wire.parse.text import TextReaders
from clary.wire.parse.unreadable import MAX_DEPTH, Unreadable

Node = dict[str, Any]
"""A level of dotted names; the value at a name itself is under the empty name."""

Read = Callable[[Node], Any]


def parse_query(operation: OperationModel, form: bytes) -> dict[str, Any]:
    if operation.input_shape is None:
        return {}
    service = operation.service_model.service_name
    members: dict[str, Any] = query_readers(service)(operation.input_shape)(form_tree(form))
    return members


def form_tree(form: bytes) -> Node:
    try:
        pairs = parse_qsl(form.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise Unreadable("the form is not UTF-8") from error
    root: Node = {}
    for name, value in pairs:
        node = root
        parts = name.split(".")
        if len(parts) > MAX_DEPTH:
            raise Unreadable(f"{name[:64]}… is nested too deeply")
        for part in parts:
            # The empty name is where a value is kept; `a..b` must not get there.
            node = node.setdefault(part or " ", {})
        node.setdefault("", value)
    return root


@cache
def query_readers(_service: str) -> "QueryReaders":
    return QueryReaders()


class QueryReaders(ShapeCompiler[Read]):
    """A function for each shape that takes a level of dotted names and answers the house's value."""

    def __init__(self) -> None:
        super().__init__()
        self._text = TextReaders()

    def structure(self, shape: StructureShape) -> Read:
        @cache
        def readers() -> dict[str, tuple[str, Read]]:
            return {name: (m.serialization.get("name", name), self(m)) for name, m in shape.members.items()}

        def read(node: Node) -> dict[str, Any]:
            return {name: reader(node[key]) for name, (key, reader) in readers().items() if key in node}

        return read

    def list(self, shape: ListShape) -> Read:
        element = self(shape.member)
        tag = shape.member.serialization.get("name", "member")
        return lambda node: [element(item) for item in numbered(node.get(tag, {}))]

    def map(self, shape: MapShape) -> Read:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        value = self(shape.value)

        def read(node: Node) -> dict[str, Any]:
            return {
                _text_at(entry.get(key_name, {})): value(entry.get(value_name, {}))
                for entry in numbered(node.get("entry", {}))
            }

        return read

    def _scalar(self, shape: Shape) -> Read:
        read = self._text(shape)
        return lambda node: read(_text_at(node))

    string = boolean = integer = long = float = double = timestamp = blob = _scalar


def numbered(node: Node) -> list[Node]:
    """The elements under `1`, `2` …, in order; gaps are closed."""
    try:
        return [node[key] for key in sorted((key for key in node if key), key=int)]
    except ValueError as error:
        raise Unreadable("the elements of a list must be numbered from 1") from error


def _text_at(node: Node) -> str:
    text: str | None = node.get("")
    if text is None:
        raise Unreadable("Start of structure or map found where not expected.")
    return text
