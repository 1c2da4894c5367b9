"""Plain dicts → XML elements: the bodies of rest-xml and of query."""

import base64
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

from clary.wire.models import ShapeCompiler
from clary.wire.serialize.text import TextWriters

Out = list[str]
"""Pieces of the document so far."""

Write = Callable[[Out, str, Any], None]
"""`(out, element name, value)`: appends the element, or the elements where the shape is flattened."""

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'

# A carriage return would be read back as a newline; other control characters have no plain form at all.
ESCAPES = {code: f"&#x{code:x};" for code in range(32) if chr(code) not in "\t\n"} | str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
)

UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

ATTRIBUTE_ESCAPES = ESCAPES | {ord("\t"): "&#x9;", ord("\n"): "&#xa;"}


def escape(text: str) -> str:
    return text.translate(ESCAPES)


def legible(text: str) -> str:
    """Text for people, which a parser must get through: what XML has no form for becomes a mark that says so."""
    return UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


@cache
def xml_writers(_service: str) -> "XmlWriters":
    return XmlWriters()


class XmlWriters(ShapeCompiler[Write]):
    """A function for each shape that writes the house's value as XML."""

    def __init__(self) -> None:
        super().__init__()
        self._text = TextWriters()

    def structure(self, shape: StructureShape) -> Write:
        members = self.members(shape)
        namespace = _namespace(shape)
        attributes = [
            (name, member.serialization["name"])
            for name, member in shape.members.items()
            if member.serialization.get("xmlAttribute")
        ]

        def write(out: Out, name: str, value: dict[str, Any]) -> None:
            given = "".join(
                f' {attribute}="{value[member].translate(ATTRIBUTE_ESCAPES)}"'
                for member, attribute in attributes
                if value.get(member) is not None
            )
            out.append(f"<{name}{namespace}{given}>")
            members(out, value)
            out.append(f"</{name}>")

        return write

    def members(self, shape: StructureShape) -> Callable[[Out, dict[str, Any]], None]:
        """What is between a structure's tags: its members, less those that travel elsewhere."""
        elsewhere = {
            name
            for name, m in shape.members.items()
            if "location" in m.serialization or m.serialization.get("xmlAttribute")
        }

        @cache
        def writers() -> dict[str, tuple[str, Write]]:
            return {
                name: (_element_name(name, m), self(m)) for name, m in shape.members.items() if name not in elsewhere
            }

        def write(out: Out, value: dict[str, Any]) -> None:
            entries = writers()
            for name, item in value.items():
                if item is None or name in elsewhere:
                    continue
                if name not in entries:
                    raise TypeError(f"{shape.name} has no member {name!r}")
                element, writer = entries[name]
                writer(out, element, item)

        return write

    def list(self, shape: ListShape) -> Write:
        element = self(shape.member)
        flattened = shape.serialization.get("flattened")
        tag = shape.member.serialization.get("name", "member")

        def write(out: Out, name: str, value: list[Any]) -> None:
            if not flattened:
                out.append(f"<{name}>")
            for item in value:
                element(out, name if flattened else tag, item)
            if not flattened:
                out.append(f"</{name}>")

        return write

    def map(self, shape: MapShape) -> Write:
        key_name = shape.key.serialization.get("name", "key")
        value_name = shape.value.serialization.get("name", "value")
        writer = self(shape.value)

        def write(out: Out, name: str, value: dict[str, Any]) -> None:
            out.append(f"<{name}>")
            for key, item in value.items():
                out.append(f"<entry><{key_name}>{escape(key)}</{key_name}>")
                writer(out, value_name, item)
                out.append("</entry>")
            out.append(f"</{name}>")

        return write

    def string(self, _shape: Shape) -> Write:
        return lambda out, name, value: out.append(f"<{name}>{escape(value)}</{name}>")

    def _scalar(self, shape: Shape) -> Write:
        text = self._text(shape)
        return lambda out, name, value: out.append(f"<{name}>{text(value)}</{name}>")

    boolean = integer = long = float = double = timestamp = _scalar

    def blob(self, _shape: Shape) -> Write:
        return lambda out, name, value: out.append(f"<{name}>{base64.b64encode(value).decode()}</{name}>")


def _element_name(name: str, shape: Shape) -> str:
    """The element of a member: a flattened list is found under its elements' own name, if they have one."""
    if shape.type_name == "list" and shape.serialization.get("flattened"):
        element: str = shape.member.serialization.get("name") or shape.serialization.get("name", name)
        return element
    given: str = shape.serialization.get("name", name)
    return given


def _namespace(shape: Shape) -> str:
    namespace = shape.serialization.get("xmlNamespace")
    if not namespace:
        return ""
    prefix = f":{namespace['prefix']}" if namespace.get("prefix") else ""
    return f' xmlns{prefix}="{escape(namespace["uri"])}"'
