"""Plain dicts → JSON documents: the body of json 1.0, json 1.1 and rest-json."""

import base64
import math
from collections.abc import Callable
from functools import cache
from typing import Any

import orjson
from botocore.model import ListShape, MapShape, Shape, StructureShape

from clary.wire.models import ShapeCompiler
from clary.wire.timestamps import epoch_of, format_timestamp

Write = Callable[[Any], Any]


def write_document(service: str, shape: StructureShape, value: dict[str, Any]) -> bytes:
    return orjson.dumps(json_writers(service)(shape)(value), option=orjson.OPT_NON_STR_KEYS)


@cache
def json_writers(_service: str) -> "JsonWriters":
    return JsonWriters()


class JsonWriters(ShapeCompiler[Write]):
    """A function for each shape that takes the house's value and answers what orjson can write."""

    def structure(self, shape: StructureShape) -> Write:
        @cache
        def writers() -> dict[str, tuple[str, Write]]:
            return {name: (m.serialization.get("name", name), self(m)) for name, m in shape.members.items()}

        def write(value: dict[str, Any]) -> dict[str, Any]:
            entries = writers()
            members = {}
            for name, item in value.items():
                if item is None:
                    continue
                if name not in entries:
                    raise TypeError(f"{shape.name} has no member {name!r}")
                key, writer = entries[name]
                members[key] = writer(item)
            return members

        return write

    def list(self, shape: ListShape) -> Write:
        element = self(shape.member)
        return lambda value: [element(item) for item in value]

    def map(self, shape: MapShape) -> Write:
        element = self(shape.value)
        return lambda value: {key: element(item) for key, item in value.items()}

    def _as_is(self, _shape: Shape) -> Write:
        return lambda value: value

    string = boolean = integer = long = _as_is

    def double(self, _shape: Shape) -> Write:
        return write_float

    float = double

    def timestamp(self, shape: Shape) -> Write:
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        if form == "unixTimestamp":
            return lambda value: round(epoch_of(value), 3)
        return lambda value: format_timestamp(value, form)

    def blob(self, _shape: Shape) -> Write:
        return lambda value: base64.b64encode(value).decode()


def write_float(value: float) -> float | str:
    """JSON has no number for these three, so they travel as strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
