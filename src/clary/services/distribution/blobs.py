"""Blobs: read, asked for, deleted. How they come is in `uploads.py`."""

import re
from functools import partial
from pathlib import Path
from typing import Any

from clary.control.call import Call
from clary.registry import blobs
from clary.registry.manifests import checked_digest
from clary.services.distribution import operation
from clary.services.distribution.requests import errors_of_registry, repository_of
from clary.wire.errors import ServiceError
from clary.wire.http import FileBody

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)
_CONTENT_TYPE = "application/octet-stream"


@operation("HeadBlob")
def head_blob(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _described(request["Digest"], _size(call, request))


@operation("GetBlob")
def get_blob(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    digest, size = request["Digest"], _size(call, request)
    location = call.house.registry.locate(digest)
    if "://" in location:
        return {"Status": 307, "Location": location, "DockerContentDigest": digest}
    found = _range(request.get("Range", ""), size)
    if found is None:
        return {**_described(digest, size), "Body": FileBody(Path(location), 0, size)}
    first, last = found
    part = {"Status": 206, "ContentLength": last - first + 1, "ContentRange": f"bytes {first}-{last}/{size}"}
    return {**_described(digest, size), **part, "Body": FileBody(Path(location), first, last - first + 1)}


@operation("DeleteBlob")
def delete_blob(call: Call, request: dict[str, Any]) -> None:
    repository = repository_of(call, request["Name"])
    with errors_of_registry():
        digest = checked_digest(request["Digest"])
        call.house.registry.change(partial(blobs.remove, repository=repository.id, digest=digest))


def _size(call: Call, request: dict[str, Any]) -> int:
    repository = repository_of(call, request["Name"])
    with errors_of_registry():
        digest = checked_digest(request["Digest"])
        return call.house.registry.view(partial(blobs.size_of, repository=repository.id, digest=digest))


def _described(digest: str, size: int) -> dict[str, Any]:
    return {
        "DockerContentDigest": digest,
        "ContentType": _CONTENT_TYPE,
        "ContentLength": size,
        "AcceptRanges": "bytes",
    }


def _range(header: str, size: int) -> tuple[int, int] | None:
    """The first and the last byte that are asked for; None where it is all of them, or what is asked cannot be read
    (RFC 9110, section 14.2)."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    given_first, given_last = match.groups()
    first = int(given_first) if given_first else max(0, size - int(given_last))
    last = min(int(given_last), size - 1) if given_first and given_last else size - 1
    if first > last:
        error = ServiceError("RANGE_INVALID", f"the blob has {size} bytes, and not those of {header!r}", 416)
        error.answer = {"ContentRange": f"bytes */{size}"}
        raise error
    return first, last
