"""Many parts as one object: which parts a client chose, and the whole's ETag and checksum."""

import hashlib
from base64 import b64decode
from itertools import pairwise
from typing import Any

from clary.objects.checksums import carried, combined, composite
from clary.objects.errors import StoreError, bad_digest, malformed_xml
from clary.objects.uploads import Part, Upload

SMALLEST_PART = 5 << 20
"""Bytes of every part but the last."""


def chosen_parts(request: dict[str, Any], uploaded: list[Part]) -> list[Part]:
    """The parts that CompleteMultipartUpload lists, if they are there and as it says."""
    listed = request.get("MultipartUpload", {}).get("Parts") or []
    numbers = [entry.get("PartNumber") for entry in listed]
    if not listed or None in numbers:
        raise malformed_xml()
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise StoreError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
        )
    by_number = {part.number: part for part in uploaded}
    chosen = [_chosen(entry, by_number.get(entry["PartNumber"])) for entry in listed]
    for part in chosen[:-1]:
        if part.size < SMALLEST_PART:
            raise StoreError(
                "EntityTooSmall",
                "Your proposed upload is smaller than the minimum allowed size",
                ProposedSize=part.size,
                MinSizeAllowed=SMALLEST_PART,
                PartNumber=part.number,
                ETag=part.etag,
            )
    _check_whole(request, chosen)
    return chosen


def joined_etag(parts: list[Part]) -> str:
    md5s = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(parts)}"


def joined_checksums(request: dict[str, Any], upload: Upload, parts: list[Part]) -> dict[str, str]:
    """The checksum of the whole, which must be the one that the client expects, if it says so."""
    member = f"Checksum{upload.algorithm}"
    digests = [(b64decode(part.checksums[member]), part.size) for part in parts]
    if upload.checksum_type == "COMPOSITE":
        value = composite(upload.algorithm, [digest for digest, _ in digests])
    else:
        value = combined(upload.algorithm, digests)
    expected = carried(request).get(upload.algorithm)
    if expected is not None and expected not in (value, value.partition("-")[0]):
        raise bad_digest(upload.algorithm)
    return {member: value, "ChecksumType": upload.checksum_type}


def invalid_part() -> StoreError:
    return StoreError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
        "specified entity tag may not match the part's entity tag.",
    )


def _chosen(entry: dict[str, Any], part: Part | None) -> Part:
    if part is None or entry.get("ETag", part.etag).strip('"') != part.etag:
        raise invalid_part()
    stored = carried(part.checksums)
    if any(stored.get(name, value) != value for name, value in carried(entry).items()):
        raise invalid_part()
    return part


def _check_whole(request: dict[str, Any], parts: list[Part]) -> None:
    size = request.get("MpuObjectSize")
    if size is not None and size != sum(part.size for part in parts):
        raise StoreError(
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        )
