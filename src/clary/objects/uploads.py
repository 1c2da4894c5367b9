"""Multipart uploads and their parts, each a body of its own. Functions of an open transaction."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, delete, insert, select

from clary.objects.dead import release
from clary.objects.errors import no_such_upload
from clary.objects.tables import parts, uploads


@dataclass(frozen=True, slots=True)
class Upload:
    id: str
    bucket: str
    key: bytes
    started: float
    headers: dict[str, Any]
    tags: list[dict[str, str]]
    algorithm: str
    checksum_type: str
    """`COMPOSITE` (a checksum of the parts' checksums) or `FULL_OBJECT`."""


@dataclass(frozen=True, slots=True)
class Part:
    number: int
    body: str
    size: int
    etag: str
    modified: float
    checksums: dict[str, str]


def start(
    connection: Connection,
    bucket: str,
    key: bytes,
    headers: dict[str, Any],
    tags: list[dict[str, str]],
    algorithm: str,
    checksum_type: str,
) -> Upload:
    upload = Upload(uuid4().hex, bucket, key, time.time(), headers, tags, algorithm, checksum_type)
    connection.execute(insert(uploads).values({c.name: getattr(upload, c.name) for c in uploads.columns}))
    return upload


def find(connection: Connection, bucket: str, key: bytes, upload_id: str) -> Upload:
    upload = look_up(connection, bucket, key, upload_id)
    if upload is None:
        raise no_such_upload(upload_id)
    return upload


def look_up(connection: Connection, bucket: str, key: bytes, upload_id: str) -> Upload | None:
    columns = uploads.c
    query = select(uploads).where(columns.id == upload_id, columns.bucket == bucket, columns.key == key)
    row: Any = connection.execute(query).first()
    return Upload(*row) if row else None


def parts_of(connection: Connection, upload: Upload, after: int = 0, limit: int | None = None) -> list[Part]:
    columns = parts.c
    query = (
        select(columns.number, columns.body, columns.size, columns.etag, columns.modified, columns.checksums)
        .where(columns.upload == upload.id, columns.number > after)
        .order_by(columns.number)
        .limit(limit)
    )
    rows: Any = connection.execute(query)
    return [Part(*row) for row in rows]


def put_part(connection: Connection, upload: Upload, part: Part) -> None:
    """Add a part, in place of the one of that number."""
    chosen = (parts.c.upload == upload.id) & (parts.c.number == part.number)
    replaced: Sequence[str] = connection.execute(select(parts.c.body).where(chosen)).scalars().all()
    connection.execute(delete(parts).where(chosen))
    values = {name: getattr(part, name) for name in Part.__dataclass_fields__}
    connection.execute(insert(parts).values(upload=upload.id, **values))
    release(connection, replaced)


def remove(connection: Connection, upload: Upload) -> None:
    """End an upload, completed or not; bodies that no version took over go."""
    bodies: Sequence[str] = connection.execute(select(parts.c.body).where(parts.c.upload == upload.id)).scalars().all()
    connection.execute(delete(parts).where(parts.c.upload == upload.id))
    connection.execute(delete(uploads).where(uploads.c.id == upload.id))
    release(connection, bodies)


def remove_all(connection: Connection, bucket: str) -> None:
    """End every upload to a bucket: they go with it."""
    found: Any = connection.execute(select(uploads).where(uploads.c.bucket == bucket)).all()
    for row in found:
        remove(connection, Upload(*row))
