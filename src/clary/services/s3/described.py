"""An object as the API describes it: what is kept of a request, and what is said of a version."""

from typing import Any

from clary.objects.archive import ARCHIVED, RESTORED_UNTIL, restored_until
from clary.objects.buckets import Bucket
from clary.objects.checksums import carried
from clary.objects.embedded import DEFAULT_CONTENT_TYPE
from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3 import encryption
from clary.services.s3.access import GRANTS
from clary.services.s3.lookup import identity
from clary.wire.dates import http_date

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
STANDARD = "STANDARD"
STORAGE_CLASSES = (
    STANDARD,
    "REDUCED_REDUNDANCY",
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    *ARCHIVED,
)
"""Those that a client may choose; the model's others belong to other kinds of bucket."""


def check_storage_class(request: dict[str, Any]) -> None:
    if request.get("StorageClass", STANDARD) not in STORAGE_CLASSES:
        raise StoreError(
            "InvalidStorageClass",
            "The storage class you specified is not valid",
            StorageClassRequested=request["StorageClass"],
        )


def kept_headers(request: dict[str, Any]) -> dict[str, Any]:
    check_storage_class(request)
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


def validators(bucket: Bucket, version: Version) -> dict[str, Any]:
    """What a client that holds a copy of the version already needs of it (RFC 9110, section 15.4.5)."""
    kept = {member: version.headers[member] for member in ("CacheControl", "Expires") if member in version.headers}
    return {**kept, "ETag": quoted(version.etag), "LastModified": version.modified, **identity(bucket, version)}


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
    for own in (GRANTS, RESTORED_UNTIL):
        result.pop(own, None)
    if (until := restored_until(version)) is not None:
        result["Restore"] = f'ongoing-request="false", expiry-date="{http_date(until)}"'
    if result.get("StorageClass") == STANDARD:
        del result["StorageClass"]  # S3 mentions only the others
    if request.get("ChecksumMode") == "ENABLED":
        result |= _checksums(version, request)
    if version.tags:
        result["TagCount"] = len(version.tags)
    for member in KEPT:
        if (instead := request.get(f"Response{member}")) is not None:
            result[member] = instead if member != "Expires" else http_date(instead)
    return result


def _checksums(version: Version, request: dict[str, Any]) -> dict[str, str]:
    """Those of what is sent, since a client holds them against that: of a part where its own are the object's
    (`COMPOSITE`), of a range none."""
    if request.get("Range"):
        return {}
    number = request.get("PartNumber")
    if number is None or (len(version.parts) < 2 and version.checksums.get("ChecksumType") == "FULL_OBJECT"):
        return version.checksums
    if version.checksums.get("ChecksumType") == "FULL_OBJECT":
        return {}
    own = next(part for part in version.parts if part["PartNumber"] == number)
    return {f"Checksum{name}": value for name, value in carried(own).items()} | {"ChecksumType": "COMPOSITE"}


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
