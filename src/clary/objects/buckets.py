"""Buckets and the documents kept with them (policy, CORS, lifecycle …). Functions of an open transaction."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from clary.objects.errors import StoreError, no_such_bucket
from clary.objects.tables import bucket_documents, buckets, versions


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    account: str
    region: str
    created: float
    versioning: str
    """`""`, `"Enabled"` or `"Suspended"`."""


# Built once: putting a statement together costs SQLAlchemy more than running it.
_BY_NAME = select(buckets).where(buckets.c.name == bindparam("name"))


def find(connection: Connection, name: str, owner: str | None = None) -> Bucket:
    """The bucket, if it is there and, where `owner` is given, belongs to that account."""
    row: Any = connection.execute(_BY_NAME, {"name": name}).first()
    if row is None:
        raise no_such_bucket(name)
    bucket = Bucket(*row)
    if owner and owner != bucket.account:
        raise StoreError("AccessDenied", "Access Denied", 403)
    return bucket


def create(
    connection: Connection,
    name: str,
    account: str,
    region: str,
    versioning: str = "",
    documents: Mapping[str, Any] = MappingProxyType({}),
) -> Bucket:
    """A new bucket with what is kept of it; one's own again is a conflict, but in `us-east-1`, where S3 answers
    with the one there is."""
    row: Any = connection.execute(_BY_NAME, {"name": name}).first()
    if row is None:
        bucket = Bucket(name, account, region, time.time(), versioning)
        connection.execute(insert(buckets).values(tuple(getattr(bucket, c.name) for c in buckets.columns)))
        for kind, content in documents.items():
            put_document(connection, name, kind, content)
        return bucket
    bucket = Bucket(*row)
    if bucket.account != account:
        raise StoreError(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all users of the "
            "system. Please select a different name and try again.",
            409,
            BucketName=name,
        )
    if not bucket.region == region == "us-east-1":
        raise StoreError(
            "BucketAlreadyOwnedByYou",
            "Your previous request to create the named bucket succeeded and you already own it.",
            409,
            BucketName=name,
        )
    return bucket


def remove(connection: Connection, name: str) -> None:
    """Remove a bucket without objects and uploads."""
    if connection.execute(select(versions.c.id).where(versions.c.bucket == name).limit(1)).first():
        raise StoreError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409, BucketName=name)
    connection.execute(delete(buckets).where(buckets.c.name == name))


def listed(connection: Connection, account: str, prefix: str, region: str | None) -> list[Bucket]:
    query = select(buckets).where(buckets.c.account == account, buckets.c.name.startswith(prefix, autoescape=True))
    if region:
        query = query.where(buckets.c.region == region)
    rows: Any = connection.execute(query.order_by(buckets.c.name))
    return [Bucket(*row) for row in rows]


def set_versioning(connection: Connection, name: str, versioning: str) -> None:
    connection.execute(update(buckets).where(buckets.c.name == name).values(versioning=versioning))


def document(connection: Connection, name: str, kind: str) -> Any | None:
    columns = bucket_documents.c
    query = select(columns.document).where(columns.bucket == name, columns.kind == kind)
    return connection.execute(query).scalar()


def put_document(connection: Connection, name: str, kind: str, content: Any) -> None:
    remove_document(connection, name, kind)
    connection.execute(insert(bucket_documents).values(bucket=name, kind=kind, document=content))


def remove_document(connection: Connection, name: str, kind: str) -> None:
    columns = bucket_documents.c
    connection.execute(delete(bucket_documents).where(columns.bucket == name, columns.kind == kind))
