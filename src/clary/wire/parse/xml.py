"""XML documents → plain dicts: the bodies of rest-xml.

Elements are matched by local name. A document type declaration is refused: it has no place in a request, and
entities are a way to make a small body large.
"""

from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from botocore.model import ListShape, MapShape, Shape, StructureShape

from clary.wire.models import ShapeCompiler
from clary.wire.parse.text import TextReaders
from clary.wire.parse.unreadable import MAX_DEPTH, Unreadable, UnreadableBody

Read = Callable[[list[Element]], Any]
"""Takes the elements of one name inside their parent: more than one only where a list or map is flattened."""

NAMESPACE_END = "}"


def read_xml(service: str, shape: StructureShape, body: bytes, root: str = "") -> dict[str, Any]:
    """A whole body as one structure, whose element has the name `root` where one is given."""
    try:
        element = parse_element(body)
        if root and element.tag != root:
            raise UnreadableBody(f"the document is {element.tag}, not {root}")
        members: dict[str, Any] = xml_readers(service)(shape)([element])
    except UnreadableBody:
        raise
    except Unreadable as error:
        raise UnreadableBody(str(error)) from error
    return members


def parse_element(body: bytes) -> Element:
    """The root of a document, with namespaces taken off every name."""
    builder = TreeBuilder()
    parser = expat.ParserCreate(namespace_separator=NAMESPACE_END)
    parser.buffer_text = True
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableBody("the document is nested too deeply")
        builder.start(_local(name), {_local(key): value for key, value in attributes.items()})

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(_local(name))

    def refuse_doctype(*_: object) -> None:
        raise UnreadableBody("a document type declaration is not allowed")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(body, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableBody(f"the body is not well-formed XML: {error}") from error
    return builder.close()


def _local(name: str) -> str:
    return name.rpartition(NAMESPACE_END)[2]


@cache
def xml_readers(_service: str) -> "XmlReaders":
    return XmlReaders()


class XmlReaders(ShapeCompiler[Read]):
    """A function for each shape that takes XML elements and answers the house's value."""

    def __init__(self) -> None:
        super().__init__()
        self._text = TextReaders()

    def structure(self, shape: StructureShape) -> Read:
        inside = {name: m for name, m in shape.members.items() if "location" not in m.serialization}
        attributes = {
            name: m.serialization["name"].rpartition(":")[2]
            for name, m in inside.items()
            if m.serialization.get("xmlAttribute")
        }

        @cache
        def readers() -> dict[str, tuple[str, Read]]:
            return {
                name: (m.serialization.get("name", name), self(m))
                for name, m in inside.items()
                if name not in attributes
            }

        def read(nodes: list[Element]) -> dict[str, Any]:
            children: defaultdict[str, list[Element]] = defaultdict(list)
            for child in nodes[0]:
                children[child.tag].append(child)
            members = {name: reader(children[tag]) for name, (tag, reader) in readers().items() if tag in children}
            for name, attribute in attributes.items():
                if attribute in nodes[0].attrib:
                    members[name] = nodes[0].attrib[attribute]
            return members

        return read

    def list(self, shape: ListShape) -> Read:
        element = self(shape.member)
        if shape.serialization.get("flattened"):
            return lambda nodes: [element([node]) for node in nodes]
        tag = shape.member.serialization.get("name", "member")
        return lambda nodes: [element([node]) for node in nodes[0] if node.tag == tag]

    def map(self, shape: MapShape) -> Read:
        raise NotImplementedError(f"no request that is served holds a map in XML: {shape.name}")

    def _scalar(self, shape: Shape) -> Read:
        read = self._text(shape)
        return lambda nodes: read(nodes[0].text or "")

    string = boolean = integer = long = float = double = timestamp = blob = _scalar
