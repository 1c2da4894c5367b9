"""Conditional requests: what must hold of the object for a read, a copy or a write to go on.

Source: RFC 9110, section 13, with S3's order of precedence ("GetObject" in the API Reference).
"""

from typing import Any

from clary.objects.errors import StoreError, no_such_key, precondition_failed
from clary.objects.versions import Guard, Version


class NotModified(StoreError):
    def __init__(self) -> None:
        super().__init__("NotModified", "Not Modified", 304)


def check_read(request: dict[str, Any], version: Version, prefix: str = "") -> None:
    """Raise where a condition fails. `prefix` is `CopySource` for the conditions on a copy's source, of which
    all fail alike."""
    if_match = request.get(f"{prefix}IfMatch")
    if_none_match = request.get(f"{prefix}IfNoneMatch")
    unmodified_since = request.get(f"{prefix}IfUnmodifiedSince")
    modified_since = request.get(f"{prefix}IfModifiedSince")
    modified = int(version.modified)  # dates in headers have whole seconds
    if if_match is not None:
        if not _matches(if_match, version):
            raise precondition_failed("If-Match")
    elif unmodified_since is not None and modified > unmodified_since:
        raise precondition_failed("If-Unmodified-Since")
    if if_none_match is not None:
        if _matches(if_none_match, version):
            raise precondition_failed("If-None-Match") if prefix else NotModified()
    elif modified_since is not None and modified <= modified_since:
        raise precondition_failed("If-Modified-Since") if prefix else NotModified()


def write_guard(request: dict[str, Any]) -> Guard:
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
            raise no_such_key()
        if not _matches(if_match, current):
            raise precondition_failed("If-Match")

    return guard


def _matches(condition: str, version: Version) -> bool:
    wanted = (each.strip().removeprefix("W/").strip('"') for each in condition.split(","))
    return any(each in ("*", version.etag) for each in wanted)
