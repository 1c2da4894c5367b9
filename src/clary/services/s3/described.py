"""An object as the API describes it: what is kept of a request, and what is said of a version."""

from typing import Any

from clary.objects.buckets import Bucket
from clary.objects.checksums import carried
from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3 import encryption
from clary.services.s3.access import GRANTS
from clary.services.s3.lookup import identity

KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "WebsiteRedirectLocation",
    "StorageClass",
)
"""Members of Put, Copy and CreateMultipartUpload that Get and Head give back."""

MOST_METADATA = 2048
DEFAULT_CONTENT_TYPE = "binary/octet-stream"
STANDARD = "STANDARD"

_OBJECT_LOCK = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")


def kept_headers(request: dict[str, Any]) -> dict[str, Any]:
    if any(request.get(member) is not None for member in _OBJECT_LOCK):
        raise StoreError("InvalidRequest", "Bucket is missing Object Lock Configuration")
    kept = {member: request[member] for member in KEPT if request.get(member) not in (None, {})}
    metadata = kept.get("Metadata", {})
    size = sum(len(name.encode()) + len(value.encode()) for name, value in metadata.items())
    if size > MOST_METADATA:
        raise StoreError(
            "MetadataTooLarge",
            "Your metadata headers exceed the maximum allowed metadata size",
            400,
            Size=size,
            MaxSizeAllowed=MOST_METADATA,
        )
    encodings = [each.strip() for each in kept.pop("ContentEncoding", "").split(",")]
    # How the body travelled is not how it is encoded.
    encoding = ",".join(each for each in encodings if each and each != "aws-chunked")
    return {"ContentType": DEFAULT_CONTENT_TYPE} | kept | ({"ContentEncoding": encoding} if encoding else {})


def quoted(etag: str) -> str:
    return f'"{etag}"'


def written(bucket: Bucket, version: Version) -> dict[str, Any]:
    """What the answer to a Put or a CompleteMultipartUpload says."""
    return {
        "ETag": quoted(version.etag),
        **version.checksums,
        **encryption.described(version.headers),
        **identity(bucket, version),
    }


def head(bucket: Bucket, version: Version, request: dict[str, Any], said: dict[str, Any]) -> dict[str, Any]:
    """The answer to Get and Head but for the body; `said` is what it says of the body's extent."""
    result: dict[str, Any] = {
        **version.headers,
        **encryption.described(version.headers),
        "ETag": quoted(version.etag),
        "LastModified": version.modified,
        "AcceptRanges": "bytes",
        **said,
        **identity(bucket, version),
    }
    result.pop(GRANTS, None)
    if result.get("StorageClass") == STANDARD:
        del result["StorageClass"]  # S3 mentions only the others
    # The checksum is that of the whole: a client would hold it against the part that it got.
    if request.get("ChecksumMode") == "ENABLED" and "ContentRange" not in said:
        result |= version.checksums
    if version.tags:
        result["TagCount"] = len(version.tags)
    for member in KEPT:
        if (instead := request.get(f"Response{member}")) is not None:
            result[member] = instead
    return result


def summary(version: Version) -> dict[str, Any]:
    """An entry of a listing, but for its key."""
    entry = {
        "LastModified": version.modified,
        "ETag": quoted(version.etag),
        "Size": version.size,
        "StorageClass": version.headers.get("StorageClass", STANDARD),
    }
    if version.checksums:
        entry["ChecksumAlgorithm"] = list(carried(version.checksums))
        entry["ChecksumType"] = version.checksums["ChecksumType"]
    return entry
