"""Listings of objects and versions: prefix, delimiter, pages, and keys that XML cannot carry."""

from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.archive import restored_until
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.listing import OBJECTS, VERSIONS, Keyed, Page, Query, read_page
from clary.objects.versions import Version
from clary.services.s3.described import summary
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket
from clary.services.s3.names import check_version_id, owner
from clary.services.s3.tokens import read_token, token_of

LONGEST_PAGE = 1000

Row = TypeVar("Row", bound=Keyed)


@s3_operation("ListObjects")
def list_objects(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket, page = store.view(partial(_objects, request=request, after=request.get("Marker", "").encode()))
    result = _page(request, page) | {
        "Contents": [_entry(request, version) | {"Owner": owner(bucket.account)} for version in page.rows],
        "Marker": spelled(request, request.get("Marker", "")),
    }
    if page.truncated and request.get("Delimiter"):
        result["NextMarker"] = spelled(request, page.last.decode())
    return result


@s3_operation("ListObjectsV2")
def list_objects_v2(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    token, start_after = request.get("ContinuationToken"), request.get("StartAfter", "")
    after = read_token(token) if token is not None else start_after.encode()
    bucket, page = store.view(partial(_objects, request=request, after=after))
    by_owner = {"Owner": owner(bucket.account)} if request.get("FetchOwner") else {}
    result = _page(request, page) | {
        "Contents": [_entry(request, version) | by_owner for version in page.rows],
        "KeyCount": len(page.rows) + len(page.prefixes),
    }
    if token is not None:
        result["ContinuationToken"] = token
    if start_after:
        result["StartAfter"] = spelled(request, start_after)
    if page.truncated:
        result["NextContinuationToken"] = token_of(page.last)
    return result


@s3_operation("ListObjectVersions")
def list_object_versions(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    key_marker, version_marker = request.get("KeyMarker", ""), request.get("VersionIdMarker", "")
    if version_marker and not key_marker:
        raise StoreError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    if version_marker:
        check_version_id(version_marker, "version-id-marker")

    def read(connection: Connection) -> tuple[Bucket, Page[Version]]:
        bucket = named_bucket(connection, request)
        query: Query[Version] = query_of(request, "MaxKeys", key_marker.encode())
        if version_marker:
            query = query.behind(versions.by_id(connection, bucket.name, query.after, version_marker))
        return bucket, read_page(connection, VERSIONS, query)

    bucket, page = store.view(read)
    result = _page(request, page) | {
        "KeyMarker": spelled(request, key_marker),
        "VersionIdMarker": version_marker,
        "Versions": [],
        "DeleteMarkers": [],
    }
    previous = key_marker.encode() if version_marker else b""
    for version in page.rows:
        standing = {
            "Key": spelled(request, version.key.decode()),
            "VersionId": version.version_id,
            "IsLatest": version.key != previous,
            "LastModified": version.modified,
            "Owner": owner(bucket.account),
        }
        previous = version.key
        if version.body is None:
            result["DeleteMarkers"].append(standing)
        else:
            result["Versions"].append(summary(version) | _restore_status(request, version) | standing)
    if page.truncated:
        result["NextKeyMarker"] = spelled(request, page.last.decode())
        if page.rows and page.rows[-1].key == page.last:
            result["NextVersionIdMarker"] = page.rows[-1].version_id
    return result


def number_from(request: dict[str, Any], member: str, default: int) -> int:
    number: int = request.get(member, default)
    if number < 0:
        name = f"{member[0].lower()}{member[1:]}"
        raise StoreError(
            "InvalidArgument",
            f"Argument {name} must be an integer between 0 and 2147483647",
            ArgumentName=name,
            ArgumentValue=number,
        )
    return number


def page_size(request: dict[str, Any], member: str) -> int:
    return min(number_from(request, member, LONGEST_PAGE), LONGEST_PAGE)


def query_of(request: dict[str, Any], limit: str, after: bytes) -> Query[Row]:
    encoding = request.get("EncodingType", "url")
    if encoding != "url":
        raise StoreError(
            "InvalidArgument",
            "Invalid Encoding Method specified in Request",
            ArgumentName="encoding-type",
            ArgumentValue=encoding,
        )
    return Query(
        bucket=request["Bucket"],
        limit=page_size(request, limit),
        prefix=request.get("Prefix", "").encode(),
        delimiter=request.get("Delimiter", "").encode(),
        after=after,
    )


def spelled(request: dict[str, Any], text: str) -> str:
    """A key as the client asked for it: percent-encoded where it would not trust XML with it."""
    return quote(text) if request.get("EncodingType") == "url" else text


def common(request: dict[str, Any], page: Page[Any]) -> dict[str, Any]:
    """What every listing says of itself."""
    result: dict[str, Any] = {
        "Prefix": spelled(request, request.get("Prefix", "")),
        "IsTruncated": page.truncated,
        "CommonPrefixes": [{"Prefix": spelled(request, prefix.decode())} for prefix in page.prefixes],
    }
    if request.get("Delimiter"):
        result["Delimiter"] = spelled(request, request["Delimiter"])
    if encoding := request.get("EncodingType"):
        result["EncodingType"] = encoding
    return result


def _page(request: dict[str, Any], page: Page[Version]) -> dict[str, Any]:
    return common(request, page) | {"Name": request["Bucket"], "MaxKeys": page_size(request, "MaxKeys")}


def _objects(connection: Connection, request: dict[str, Any], after: bytes) -> tuple[Bucket, Page[Version]]:
    bucket = named_bucket(connection, request)
    return bucket, read_page(connection, OBJECTS, query_of(request, "MaxKeys", after))


def _entry(request: dict[str, Any], version: Version) -> dict[str, Any]:
    return {"Key": spelled(request, version.key.decode())} | summary(version) | _restore_status(request, version)


def _restore_status(request: dict[str, Any], version: Version) -> dict[str, Any]:
    """Of an archived object that was restored, where the request asks for it."""
    if "RestoreStatus" not in request.get("OptionalObjectAttributes", ()):
        return {}
    until = restored_until(version)
    return {"RestoreStatus": {"IsRestoreInProgress": False, "RestoreExpiryDate": until}} if until else {}
