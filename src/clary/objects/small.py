"""Small bodies as rows of the catalogue: the commit that names one also keeps it, with one flush of the disk.

    put of up to `LARGEST` bytes ─▶ row, whose number names the body ─┬─▶ get: the bytes come with the version
                                                                      └─▶ where a file is needed, it is made once

Rows are only ever added at the end: a table in the order of random names would have every commit write pages all
over it. Functions of an open transaction.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from clary.objects.tables import small_bodies

LARGEST = 4096
"""Bytes; what is larger spills over SQLite's pages, and is a file."""

_INSERT = insert(small_bodies)
_CONTENT = select(small_bodies.c.content).where(small_bodies.c.id == bindparam("id"))


def is_small(body: str) -> bool:
    return "-" in body


def name_of(number: int) -> str:
    """Of the body in that row; begins with two hexadecimal digits as those of files do (`Bodies.sweep`)."""
    return f"{number % 256:02x}-{number:x}"


def keep(connection: Connection, content: bytes) -> str:
    """The name of a new body."""
    result = connection.execute(_INSERT, {"content": content})
    assert result.inserted_primary_key is not None
    return name_of(result.inserted_primary_key[0])


def content_of(connection: Connection, body: str) -> bytes | None:
    """None where the body is a file."""
    if not is_small(body):
        return None
    content: bytes = connection.execute(_CONTENT, {"id": _number(body)}).scalar_one()
    return content


def forget(connection: Connection, bodies: Iterable[str]) -> None:
    numbers = [_number(body) for body in bodies if is_small(body)]
    if numbers:
        connection.execute(delete(small_bodies).where(small_bodies.c.id.in_(numbers)))


def _number(body: str) -> int:
    return int(body.partition("-")[2], 16)
