"""Conditional requests: what must hold of the object for a read, a copy or a write to go on.

Source: RFC 9110, section 13, with S3's order of precedence ("GetObject" in the API Reference).
"""

from typing import Any, Literal

from clary.objects.buckets import Bucket
from clary.objects.errors import StoreError, no_such_key, precondition_failed
from clary.objects.versions import Guard, Version
from clary.services.s3.described import validators

_HEADER = {"": "", "CopySource": "x-amz-copy-source-"}
"""What stands before a condition's name on the wire, by the prefix of the member that holds it."""


def check_read(
    request: dict[str, Any], bucket: Bucket, version: Version, prefix: Literal["", "CopySource"] = ""
) -> None:
    """Raise where a condition fails. `prefix` is `CopySource` for the conditions on a copy's source, of which
    all fail alike."""
    failed = _failed_condition(request, version, prefix)
    if failed is None:
        return
    if failed in ("If-None-Match", "If-Modified-Since") and not prefix:
        raise StoreError("NotModified", "Not Modified", 304).telling(**validators(bucket, version))
    raise precondition_failed(_HEADER[prefix] + failed)


def _failed_condition(request: dict[str, Any], version: Version, prefix: str) -> str | None:
    if_match = request.get(f"{prefix}IfMatch")
    if_none_match = request.get(f"{prefix}IfNoneMatch")
    unmodified_since = request.get(f"{prefix}IfUnmodifiedSince")
    modified_since = request.get(f"{prefix}IfModifiedSince")
    modified = int(version.modified)  # dates in headers have whole seconds
    if if_match is not None:
        if not _matches(if_match, version):
            return "If-Match"
    elif unmodified_since is not None and modified > unmodified_since:
        return "If-Unmodified-Since"
    if if_none_match is not None:
        if _matches(if_none_match, version):
            return "If-None-Match"
    elif modified_since is not None and modified <= modified_since:
        return "If-Modified-Since"
    return None


def write_guard(request: dict[str, Any], key: bytes) -> Guard:
    """What `request` demands of the object that it replaces or deletes."""
    if_match, if_none_match = request.get("IfMatch"), request.get("IfNoneMatch")
    if if_none_match not in (None, "*"):
        raise StoreError(
            "NotImplemented",
            "A header you provided implies functionality that is not implemented",
            501,
            Header="If-None-Match",
        )

    def guard(current: Version | None) -> None:
        if if_none_match and current:
            raise precondition_failed("If-None-Match")
        if if_match is None:
            return
        if current is None:
            raise no_such_key(key)
        if not _matches(if_match, current):
            raise precondition_failed("If-Match")

    return guard


def _matches(condition: str, version: Version) -> bool:
    wanted = (each.strip().removeprefix("W/").strip('"') for each in condition.split(","))
    return any(each in ("*", version.etag) for each in wanted)
