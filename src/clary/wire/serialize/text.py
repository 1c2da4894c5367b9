"""Scalars as text: in headers and in XML elements."""

from collections.abc import Callable
from typing import Any

from botocore.model import Shape

from clary.wire.models import ShapeCompiler
from clary.wire.serialize.json import write_float
from clary.wire.timestamps import TimestampFormat, format_timestamp

WriteText = Callable[[Any], str]


class TextWriters(ShapeCompiler[WriteText]):
    """A function for each scalar shape that takes the house's value and answers its text."""

    def __init__(self, timestamps: TimestampFormat = "iso8601") -> None:
        super().__init__()
        self._timestamps: TimestampFormat = timestamps

    def string(self, _shape: Shape) -> WriteText:
        return str

    def integer(self, _shape: Shape) -> WriteText:
        return str

    long = integer

    def boolean(self, _shape: Shape) -> WriteText:
        return lambda value: "true" if value else "false"

    def double(self, _shape: Shape) -> WriteText:
        return lambda value: str(write_float(value))

    float = double

    def timestamp(self, shape: Shape) -> WriteText:
        form: TimestampFormat = shape.serialization.get("timestampFormat", self._timestamps)
        return lambda value: format_timestamp(value, form)

    def list(self, shape: Shape) -> WriteText:
        element = self(shape.member)
        return lambda value: ",".join(element(item) for item in value)
