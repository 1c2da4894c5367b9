"""Copies inside the store: a whole object shares its source's body, a part is a body of its own."""

import re
from functools import partial
from typing import Any
from urllib.parse import unquote

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.archive import RESTORED_UNTIL, check_readable
from clary.objects.bodies import Extent
from clary.objects.buckets import Bucket
from clary.objects.checksums import ALGORITHMS, carried, encoded
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.ingest import SLICE, copy_range
from clary.objects.versions import Content, Version
from clary.services.s3 import encryption
from clary.services.s3.conditions import check_read, write_guard
from clary.services.s3.described import check_storage_class, kept_headers, quoted
from clary.services.s3.handler import s3_operation
from clary.services.s3.integrity import settlement, supported
from clary.services.s3.lifecycle.due import told_expiry
from clary.services.s3.lookup import identity, named_bucket
from clary.services.s3.multipart import named_upload, part_of, put_part
from clary.services.s3.names import copy_source, key_of, part_number, version_id_of
from clary.services.s3.objects import LARGEST_PUT
from clary.services.s3.protection import PROTECTION, protection
from clary.services.s3.tagging import tags_of

_COPY_RANGE = re.compile(r"bytes=(\d+)-(\d+)")
_OF_THE_COPY = ("StorageClass", "WebsiteRedirectLocation", "ServerSideEncryption", "SSEKMSKeyId", "BucketKeyEnabled")
"""Members that are the copy's own whatever `MetadataDirective` says."""


@s3_operation("CopyObject")
def copy_object(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key = key_of(request)
    check_storage_class(request)
    protected = protection(store, call, request)
    _check_directives(request)
    _check_changes_something(request)
    _, loaded = store.view(partial(_source, request=request))
    _check_size(loaded.size)
    rehashed = _rehashed(store, loaded, request.get("ChecksumAlgorithm"))

    def copy(connection: Connection) -> dict[str, Any]:
        bucket = named_bucket(connection, request)
        source_bucket, source = _source(connection, request)
        content = Content(
            body=source.body,
            size=source.size,
            etag=source.etag,
            headers=_headers(request, source) | protected,
            checksums=rehashed if rehashed and source.body == loaded.body else source.checksums,
            tags=tags_of(request) if request.get("TaggingDirective") == "REPLACE" else source.tags,
            parts=source.parts,
        )
        version = versions.put(connection, bucket, key, content, write_guard(request, key))
        return {
            "CopyObjectResult": {
                "ETag": quoted(version.etag),
                "LastModified": version.modified,
                **version.checksums,
            },
            **_source_identity(source_bucket, source),
            **encryption.described(version.headers),
            **identity(bucket, version),
            **told_expiry(store, version),
        }

    return store.change(copy)


@s3_operation("UploadPartCopy")
def upload_part_copy(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    number = part_number(request)
    upload = store.view(partial(named_upload, request=request))
    source_bucket, source = store.view(partial(_source, request=request))
    assert source.body is not None
    extent = Extent(source.body, *_range(request.get("CopySourceRange"), source.size))
    _check_size(extent.size)
    store.file_of(source.body)
    received = copy_range(store.bodies, extent, {upload.algorithm}, settlement({}, upload.algorithm))
    part = part_of(number, received)
    store.change(partial(put_part, request=request, part=part), received.body)
    result = {"ETag": quoted(part.etag), "LastModified": part.modified, **part.checksums}
    return {"CopyPartResult": result, **encryption.described(upload.headers), **_source_identity(source_bucket, source)}


def _source(connection: Connection, request: dict[str, Any]) -> tuple[Bucket, Version]:
    """What `CopySource` names, if it may be copied."""
    bucket, key, version_id = copy_source(request["CopySource"])
    if not key:
        raise StoreError("InvalidArgument", "Invalid copy source object key", ArgumentName="x-amz-copy-source")
    named = {
        "Bucket": bucket,
        "Key": key,
        "VersionId": version_id,
        "ExpectedBucketOwner": request.get("ExpectedSourceBucketOwner"),
    }
    found = named_bucket(connection, named)
    source = versions.find(connection, found.name, key_of(named), version_id_of(named))
    if source.body is None:
        message = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise StoreError("InvalidRequest", message)
    check_read(request, found, source, prefix="CopySource")
    check_readable(source, "Operation is not valid for the source object's storage class")
    return found, source


def _source_identity(bucket: Bucket, source: Version) -> dict[str, str]:
    return {"CopySourceVersionId": source.version_id} if bucket.versioning else {}


def _headers(request: dict[str, Any], source: Version) -> dict[str, Any]:
    if request.get("MetadataDirective") == "REPLACE":
        return kept_headers(request)
    left = {*_OF_THE_COPY, *PROTECTION, RESTORED_UNTIL}
    kept = {member: value for member, value in source.headers.items() if member not in left}
    return kept | {member: request[member] for member in _OF_THE_COPY if request.get(member) is not None}


def _check_directives(request: dict[str, Any]) -> None:
    for kind in ("metadata", "tagging"):
        directive = request.get(f"{kind.capitalize()}Directive", "COPY")
        if directive not in ("COPY", "REPLACE"):
            raise StoreError(
                "InvalidArgument",
                f"Unknown {kind} directive.",
                ArgumentName=f"x-amz-{kind}-directive",
                ArgumentValue=directive,
            )


def _check_size(size: int) -> None:
    if size > LARGEST_PUT:
        raise StoreError(
            "InvalidRequest",
            f"The specified copy source is larger than the maximum allowable size for a copy source: {LARGEST_PUT}",
        )


def _check_changes_something(request: dict[str, Any]) -> None:
    itself = unquote(request["CopySource"]).removeprefix("/") == f"{request['Bucket']}/{request['Key']}"
    replaced = "REPLACE" in (request.get("MetadataDirective"), request.get("TaggingDirective"))
    if itself and not replaced and all(request.get(member) is None for member in _OF_THE_COPY):
        raise StoreError(
            "InvalidRequest",
            "This copy request is illegal because it is trying to copy an object to itself without changing the "
            "object's metadata, storage class, website redirect location or encryption attributes.",
        )


def _rehashed(store: EmbeddedStore, source: Version, algorithm: str | None) -> dict[str, str] | None:
    """The checksum by another algorithm than the source's, where the copy shall have one."""
    if algorithm is None or supported(algorithm) in carried(source.checksums):
        return None
    assert source.body is not None
    digest = ALGORITHMS[algorithm]()
    store.file_of(source.body)
    for data in store.bodies.read(Extent(source.body, 0, source.size), SLICE):
        digest.update(data)
    return {f"Checksum{algorithm}": encoded(digest.digest()), "ChecksumType": "FULL_OBJECT"}


def _range(header: str | None, size: int) -> tuple[int, int]:
    """Offset and length that `CopySourceRange` names; unlike `Range`, it must lie within the object."""
    if header is None:
        return 0, size
    match = _COPY_RANGE.fullmatch(header)
    if match is None:
        raise StoreError(
            "InvalidArgument",
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy",
            ArgumentName="x-amz-copy-source-range",
            ArgumentValue=header,
        )
    first, last = int(match[1]), int(match[2])
    if first > last or last >= size:
        raise StoreError("InvalidArgument", f"Range specified is not valid for source object of size: {size}")
    return first, last - first + 1
