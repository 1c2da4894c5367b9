"""Objects: put, get, head, delete and their attributes."""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.archive import check_readable
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.ingest import SLICE, Ingested
from clary.objects.small import content_of
from clary.objects.versions import Content, Version
from clary.services.s3.authorization import deletion_refusal
from clary.services.s3.conditions import check_read, write_guard
from clary.services.s3.described import head, kept_headers, written
from clary.services.s3.handler import s3_operation
from clary.services.s3.integrity import algorithm_of, settlement
from clary.services.s3.lifecycle.due import told_expiry
from clary.services.s3.locking import BYPASS
from clary.services.s3.lookup import identity, named_bucket, named_object
from clary.services.s3.names import key_of, version_id_of
from clary.services.s3.protection import protection
from clary.services.s3.reading import extent_of
from clary.services.s3.tagging import tags_of
from clary.wire.credentials import PLATFORM
from clary.wire.http import FileBody
from clary.wire.refusals import malformed_xml

LARGEST_PUT = 5 << 30
MOST_DELETES = 1000


@s3_operation("PutObject")
async def put_object(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key, headers, tags = key_of(request), kept_headers(request), tags_of(request)
    headers |= protection(store, call, request)
    if call.principal != PLATFORM:
        # What an instance leaves is one file, of whatever size.
        check_size(request)
    guard = write_guard(request, key)
    await expect_bucket(store, request)
    algorithm = algorithm_of(request)

    def put(connection: Connection, received: Ingested) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        checksums = {**received.checksums, "ChecksumType": "FULL_OBJECT"}
        content = Content(received.body, received.size, received.etag, headers, checksums, tags)
        version = versions.put(connection, bucket, key, content, guard)
        return written(bucket, version) | told_expiry(store, version)

    return await store.take_in(request["Body"], {algorithm}, settlement(request, algorithm), put, small=True)


def check_size(request: dict[str, Any]) -> None:
    if request.get("ContentLength", 0) > LARGEST_PUT:
        raise StoreError(
            "EntityTooLarge",
            "Your proposed upload exceeds the maximum allowed size",
            400,
            ProposedSize=request["ContentLength"],
            MaxSizeAllowed=LARGEST_PUT,
        )


async def expect_bucket(store: EmbeddedStore, request: dict[str, Any]) -> None:
    """Refuse a large body before it is received; a small one costs less than the question."""
    if request.get("ContentLength", SLICE) >= SLICE:
        await store.look(partial(named_bucket, request=request))


@s3_operation("GetObject")
async def get_object(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket, version, content = await store.look(partial(_object_and_content, request=request))
    check_read(request, bucket, version)
    check_readable(version)
    extent, said = extent_of(request, version)
    assert version.body is not None
    body: FileBody | bytes = FileBody(store.bodies.path(version.body), extent.offset, extent.length)
    if content is not None:
        body = content[extent.offset : extent.offset + extent.length]
    return {**head(bucket, version, request, said), **told_expiry(store, version), "Body": body}


def _object_and_content(connection: Connection, request: dict[str, Any]) -> tuple[Bucket, Version, bytes | None]:
    """With its bytes, where they are a row of the catalogue."""
    bucket, version = named_object(connection, request)
    assert version.body is not None
    return bucket, version, content_of(connection, version.body)


@s3_operation("HeadObject")
async def head_object(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket, version = await store.look(partial(named_object, request=request))
    check_read(request, bucket, version)
    _, said = extent_of(request, version)
    return head(bucket, version, request, said) | told_expiry(store, version)


@s3_operation("DeleteObject")
def delete_object(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    def remove(connection: Connection) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        removed = _remove(connection, bucket, request)
        return identity(bucket, removed) | _marker(removed) if removed else {}

    return store.change(remove)


@s3_operation("DeleteObjects")
def delete_objects(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    wanted = request["Delete"]["Objects"]
    if not 0 < len(wanted) <= MOST_DELETES:
        raise malformed_xml()
    bypass = {BYPASS: request.get(BYPASS)}

    refusals = [deletion_refusal(store, call, request, each) for each in wanted]

    def remove(connection: Connection) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        deleted, errors = [], []
        for each, refusal in zip(wanted, refusals, strict=True):
            said = {name: each[name] for name in ("Key", "VersionId") if each.get(name)}
            try:
                if refusal:
                    raise refusal
                removed = _remove(connection, bucket, {**said, "IfMatch": each.get("ETag"), **bypass})
            except StoreError as error:
                errors.append({**said, "Code": error.code, "Message": error.message})
                continue
            if removed and removed.body is None:
                said |= {"DeleteMarker": True, "DeleteMarkerVersionId": removed.version_id}
            deleted.append(said)
        return {"Errors": errors} if request["Delete"].get("Quiet") else {"Deleted": deleted, "Errors": errors}

    return store.change(remove)


def _remove(connection: Connection, bucket: Bucket, wanted: dict[str, Any]) -> Version | None:
    key = key_of(wanted)
    guard, bypass = write_guard(wanted, key), bool(wanted.get(BYPASS))
    return versions.remove(connection, bucket, key, version_id_of(wanted), guard, bypass)


def _marker(version: Version) -> dict[str, bool]:
    return {"DeleteMarker": True} if version.body is None else {}
