"""Objects as a stack of versions per key. Functions of an open transaction.

    unversioned   put replaces the version "null"                 delete removes it
    Enabled       put adds a version                              delete adds a delete marker
    Suspended     put replaces "null", the others stay            delete puts a delete marker as "null"

The newest of a key is its current object unless it is a delete marker; deleting a version by its id may
bring the one below it back. The column `current` says so; listings are read by it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from clary.objects.buckets import Bucket
from clary.objects.dead import release
from clary.objects.errors import no_such_key, no_such_version
from clary.objects.locks import check_removal
from clary.objects.tables import versions

NULL = "null"


@dataclass(frozen=True, slots=True)
class Content:
    """What a version holds, apart from where it stands."""

    body: str | None
    """None makes a delete marker."""
    size: int
    etag: str
    headers: dict[str, Any] = field(default_factory=dict)
    """What the client said of the object, in the API's shape: `ContentType`, `Metadata`, `StorageClass` …"""
    checksums: dict[str, str] = field(default_factory=dict)
    tags: list[dict[str, str]] = field(default_factory=list)
    parts: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Version:
    id: int
    bucket: str
    key: bytes
    version_id: str
    current: bool
    body: str | None
    size: int
    etag: str
    modified: float
    headers: dict[str, Any]
    checksums: dict[str, str]
    tags: list[dict[str, str]]
    parts: list[dict[str, Any]]


# Built once: putting a statement together costs SQLAlchemy more than running it.
_OF_KEY = select(versions).where(versions.c.bucket == bindparam("bucket"), versions.c.key == bindparam("key"))
_NEWEST = _OF_KEY.order_by(versions.c.id.desc()).limit(1)
_BY_ID = _OF_KEY.where(versions.c.version_id == bindparam("version_id"))
_INSERT = insert(versions)

Guard = Callable[[Version | None], None]
"""Judges the current object (None: there is none) before it is replaced or deleted; raises to refuse."""


def _no_guard(_: Version | None) -> None:
    return None


def newest(connection: Connection, bucket: str, key: bytes) -> Version | None:
    """The top of the stack, delete markers included."""
    row: Any = connection.execute(_NEWEST, {"bucket": bucket, "key": key}).first()
    return Version(*row) if row else None


def find(connection: Connection, bucket: str, key: bytes, version_id: str | None = None) -> Version:
    """The current object, or the version asked for, which may be a delete marker."""
    if version_id is None:
        version = newest(connection, bucket, key)
        if version is None or version.body is None:
            raise no_such_key(key)
        return version
    version = by_id(connection, bucket, key, version_id)
    if version is None:
        raise no_such_version(key, version_id)
    return version


def put(connection: Connection, bucket: Bucket, key: bytes, content: Content, guard: Guard = _no_guard) -> Version:
    """Make `content` the newest version of the key."""
    top = newest(connection, bucket.name, key)
    guard(top if top and top.body else None)
    version_id = uuid4().hex if bucket.versioning == "Enabled" else NULL
    replaced = None
    if top and version_id == NULL:
        replaced = top if top.version_id == NULL else by_id(connection, bucket.name, key, NULL)
    if replaced:
        connection.execute(delete(versions).where(versions.c.id == replaced.id))
    if top and top.current and top.version_id != version_id:
        connection.execute(update(versions).where(versions.c.id == top.id).values(current=False))
    values: dict[str, Any] = {
        "bucket": bucket.name,
        "key": key,
        "version_id": version_id,
        "current": content.body is not None,
        "body": content.body,
        "size": content.size,
        "etag": content.etag,
        "modified": time.time(),
        "headers": content.headers,
        "checksums": content.checksums,
        "tags": content.tags,
        "parts": content.parts,
    }
    result = connection.execute(_INSERT, values)
    assert result.inserted_primary_key is not None
    if replaced and replaced.body:
        release(connection, [replaced.body])  # which the new version may name: a copy onto itself
    return Version(id=result.inserted_primary_key[0], **values)


def remove(
    connection: Connection,
    bucket: Bucket,
    key: bytes,
    version_id: str | None,
    guard: Guard = _no_guard,
    bypass_governance: bool = False,
) -> Version | None:
    """Delete as S3 does: what was removed or the delete marker that was put; None where nothing had to be
    done. A version that is locked is not removed (`locks`)."""
    if version_id is None and bucket.versioning:
        return put(connection, bucket, key, Content(None, 0, ""), guard)
    version = by_id(connection, bucket.name, key, version_id or NULL)
    guard(version if version and version.body else None)
    if version is None:
        return None
    check_removal(version, time.time(), bypass_governance)
    connection.execute(delete(versions).where(versions.c.id == version.id))
    if version.body:
        release(connection, [version.body])
    top = newest(connection, bucket.name, key)
    if top and top.body and not top.current:
        connection.execute(update(versions).where(versions.c.id == top.id).values(current=True))
    return version


def set_tags(connection: Connection, version: Version, tags: list[dict[str, str]]) -> None:
    connection.execute(update(versions).where(versions.c.id == version.id).values(tags=tags))


def set_headers(connection: Connection, version: Version, headers: dict[str, Any]) -> None:
    connection.execute(update(versions).where(versions.c.id == version.id).values(headers=headers))


def by_id(connection: Connection, bucket: str, key: bytes, version_id: str) -> Version | None:
    row: Any = connection.execute(_BY_ID, {"bucket": bucket, "key": key, "version_id": version_id}).first()
    return Version(*row) if row else None
