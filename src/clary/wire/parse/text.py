"""Scalars that travel as text: in headers, queries, forms and XML elements."""

import base64
import binascii
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.model import ListShape, Shape

from clary.wire.models import ShapeCompiler
from clary.wire.parse.unreadable import Unreadable
from clary.wire.timestamps import parse_timestamp

ReadText = Callable[[str], Any]

HEADER_LIST_ITEM = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,]*?))\s*(?:,|$)')
"""An element of a list in a header: quoted, with `\\"` for a quote, or plain up to the comma."""

LIMITS = {"integer": 1 << 31, "long": 1 << 63}


@cache
def text_readers(_service: str) -> "TextReaders":
    return TextReaders()


class TextReaders(ShapeCompiler[ReadText]):
    """A function for each scalar shape, and for a list in a header, from its text to the house's value."""

    def string(self, _shape: Shape) -> ReadText:
        return str

    def boolean(self, _shape: Shape) -> ReadText:
        return read_boolean

    def integer(self, shape: Shape) -> ReadText:
        limit = LIMITS[shape.type_name]

        def read(text: str) -> int:
            try:
                number = int(text) if text.isascii() and "_" not in text and len(text) < 32 else None
            except ValueError:
                number = None
            if number is None or not -limit <= number < limit:
                raise Unreadable(f"'{text}' is not a valid value of type {shape.type_name}")
            return number

        return read

    long = integer

    def float(self, _shape: Shape) -> ReadText:
        return read_float

    double = float

    def timestamp(self, _shape: Shape) -> ReadText:
        return read_timestamp

    def blob(self, _shape: Shape) -> ReadText:
        return read_blob

    def list(self, shape: ListShape) -> ReadText:
        element = self(shape.member)
        return lambda text: [element(item) for item in split_header_list(text)]


def split_header_list(text: str) -> list[str]:
    items = []
    for quoted, plain in HEADER_LIST_ITEM.findall(text):
        if quoted:
            items.append(re.sub(r"\\(.)", r"\1", quoted))
        elif plain:
            items.append(plain)
    return items


def read_boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise Unreadable(f"'{text}' is not a valid value of type boolean")
    return text == "true"


def read_float(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise Unreadable(f"'{text}' is not a valid value of type double") from error


def read_timestamp(text: str) -> float:
    try:
        return parse_timestamp(text)
    except (ValueError, OverflowError, OSError) as error:
        raise Unreadable(f"'{text}' is not a valid value of type timestamp") from error


def read_blob(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unreadable("a blob is not valid base64") from error
