"""JSON documents → plain dicts: the body of json 1.0, json 1.1 and rest-json."""

import binascii
from collections.abc import Callable
from functools import cache
from typing import Any, NoReturn

import orjson
from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

from clary.wire.models import ShapeCompiler
from clary.wire.parse.unreadable import MAX_DEPTH, UnreadableBody
from clary.wire.timestamps import parse_timestamp, read_epoch

Read = Callable[[Any], Any]

INTEGER_BITS = {"integer": 31, "long": 63}
SPECIAL_FLOATS = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}


def parse_json(operation: OperationModel, body: bytes) -> dict[str, Any]:
    if operation.input_shape is None:
        return {}
    return read_document(operation.service_model.service_name, operation.input_shape, body)


def read_document(service: str, shape: StructureShape, body: bytes) -> dict[str, Any]:
    """A whole body as one structure; an empty one is an empty structure."""
    try:
        document = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise UnreadableBody(f"Unable to parse the request body as JSON: {error}") from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _deeper_than(MAX_DEPTH, document):
        raise UnreadableBody("The request body is nested too deeply")
    members: dict[str, Any] = json_readers(service)(shape)(document)
    return members


def _deeper_than(limit: int, document: Any) -> bool:
    level = [document]
    for _ in range(limit):
        level = [
            child
            for node in level
            if isinstance(node, (dict, list))
            for child in (node.values() if isinstance(node, dict) else node)
        ]
    return bool(level)


@cache
def json_readers(_service: str) -> "JsonReaders":
    return JsonReaders()


class JsonReaders(ShapeCompiler[Read]):
    """A function for each shape that takes a decoded JSON value and answers the house's value."""

    def structure(self, shape: StructureShape) -> Read:
        @cache
        def readers() -> dict[str, tuple[str, Read]]:
            return {m.serialization.get("name", name): (name, self(m)) for name, m in shape.members.items()}

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                _refuse(value, "structure")
            entries = readers()
            members = {}
            for key, raw in value.items():
                entry = entries.get(key)
                if entry is not None and raw is not None:
                    members[entry[0]] = entry[1](raw)
            return members

        return read

    def list(self, shape: ListShape) -> Read:
        element = self(shape.member)

        def read(value: Any) -> list[Any]:
            if type(value) is not list:
                _refuse(value, "list")
            return [None if raw is None else element(raw) for raw in value]

        return read

    def map(self, shape: MapShape) -> Read:
        element = self(shape.value)

        def read(value: Any) -> dict[str, Any]:
            if type(value) is not dict:
                _refuse(value, "map")
            return {key: None if raw is None else element(raw) for key, raw in value.items()}

        return read

    def string(self, _shape: Shape) -> Read:
        def read(value: Any) -> str:
            if type(value) is not str:
                _refuse(value, "a String")
            text: str = value
            return text

        return read

    def boolean(self, _shape: Shape) -> Read:
        def read(value: Any) -> bool:
            if type(value) is not bool:
                _refuse(value, "a Boolean")
            return bool(value)

        return read

    def integer(self, shape: Shape) -> Read:
        limit = 1 << INTEGER_BITS[shape.type_name]
        article = "an Integer" if shape.type_name == "integer" else "a Long"

        def read(value: Any) -> int:
            number = value
            if type(value) is float and value.is_integer():
                number = int(value)
            if type(number) is not int or not -limit <= number < limit:
                _refuse(value, article)
            return int(number)

        return read

    long = integer

    def double(self, _shape: Shape) -> Read:
        def read(value: Any) -> float:
            if type(value) is str and value in SPECIAL_FLOATS:
                return SPECIAL_FLOATS[value]
            if type(value) not in (int, float):
                _refuse(value, "a Double")
            return float(value)

        return read

    float = double

    def timestamp(self, shape: Shape) -> Read:
        textual = shape.serialization.get("timestampFormat", "unixTimestamp") != "unixTimestamp"

        def read(value: Any) -> float:
            if (type(value) is not str) if textual else (type(value) not in (int, float)):
                _refuse(value, "milliseconds since epoch")
            try:
                return parse_timestamp(value) if textual else read_epoch(value)
            except ValueError as error:
                raise UnreadableBody(str(error)) from error

        return read

    def blob(self, _shape: Shape) -> Read:
        def read(value: Any) -> bytes:
            if type(value) is not str:
                _refuse(value, "a Blob")
            try:
                return binascii.a2b_base64(value, strict_mode=True)
            except ValueError as error:
                raise UnreadableBody(f"Invalid base64: {error}") from error

        return read


def _refuse(value: Any, wanted: str) -> NoReturn:
    """Raise what AWS says where a JSON value is of another type than the model's."""
    if isinstance(value, dict):
        raise UnreadableBody("Start of structure or map found where not expected.")
    if isinstance(value, list):
        raise UnreadableBody("Start of list found where not expected")
    if wanted in ("structure", "list", "map"):
        raise UnreadableBody("Unexpected field type")
    if isinstance(value, bool):
        kind = "TRUE_VALUE" if value else "FALSE_VALUE"
    else:
        kind = "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"
    raise UnreadableBody(f"{kind} can not be converted to {wanted}")
