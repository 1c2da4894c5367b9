"""Many parts as one object: which parts a client chose, and the whole's ETag and checksum."""

import hashlib
import re
from base64 import b64decode
from itertools import pairwise
from typing import Any

from clary.objects.checksums import carried, combined, composite
from clary.objects.errors import StoreError, bad_digest
from clary.objects.uploads import Part, Upload
from clary.wire.refusals import malformed_xml

_MD5 = re.compile(r"[0-9a-f]{32}")

SMALLEST_PART = 5 << 20
"""Bytes of every part but the last."""


def chosen_parts(request: dict[str, Any], uploaded: list[Part]) -> list[Part]:
    """The parts that CompleteMultipartUpload lists, if they are there and as it says."""
    listed = _listed(request)
    numbers: list[Any] = [entry.get("PartNumber") for entry in listed]
    if not listed or None in numbers:
        raise malformed_xml()
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise StoreError(
            "InvalidPartOrder",
            "The list of parts was not in ascending order. Parts must be ordered by part number.",
            UploadId=request["UploadId"],
        )
    by_number = {part.number: part for part in uploaded}
    chosen = [_chosen(request, entry, by_number.get(entry["PartNumber"])) for entry in listed]
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


def joined_etag(etags: list[str]) -> str:
    md5s = b"".join(map(bytes.fromhex, etags))
    return f"{hashlib.md5(md5s, usedforsecurity=False).hexdigest()}-{len(etags)}"


def lists_the_parts_of(request: dict[str, Any], etag: str) -> bool:
    """Whether the parts that CompleteMultipartUpload lists are those of the object with that entity tag."""
    etags = [entry.get("ETag", "").strip('"') for entry in _listed(request)]
    return all(map(_MD5.fullmatch, etags)) and joined_etag(etags) == etag


def joined_checksums(request: dict[str, Any], upload: Upload, parts: list[Part]) -> dict[str, str]:
    """The checksum of the whole, which must be the one that the client expects, if it says so."""
    member = f"Checksum{upload.algorithm}"
    _check_says_so(request, upload, member)
    digests = [(b64decode(part.checksums[member]), part.size) for part in parts]
    if upload.checksum_type == "COMPOSITE":
        value = composite(upload.algorithm, [digest for digest, _ in digests])
    else:
        value = combined(upload.algorithm, digests)
    expected = carried(request).get(upload.algorithm)
    if expected is not None and expected not in (value, value.partition("-")[0]):
        raise bad_digest(upload.algorithm)
    return {member: value, "ChecksumType": upload.checksum_type}


def invalid_part(request: dict[str, Any], **part: Any) -> StoreError:
    return StoreError(
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the "
        "specified entity tag may not match the part's entity tag.",
        UploadId=request["UploadId"],
        **part,
    )


def _listed(request: dict[str, Any]) -> list[dict[str, Any]]:
    return request.get("MultipartUpload", {}).get("Parts") or []


def _chosen(request: dict[str, Any], entry: dict[str, Any], part: Part | None) -> Part:
    stored = carried(part.checksums) if part else {}
    if (
        part is None
        or entry.get("ETag", part.etag).strip('"') != part.etag
        or any(stored.get(name, value) != value for name, value in carried(entry).items())
    ):
        raise invalid_part(request, PartNumber=entry["PartNumber"], ETag=entry.get("ETag", "").strip('"'))
    return part


def _check_says_so(request: dict[str, Any], upload: Upload, member: str) -> None:
    """A composite checksum is the client's own: it must know it for every part, and what kind it is."""
    asked = request.get("ChecksumType", upload.checksum_type)
    if asked != upload.checksum_type:
        raise StoreError(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_type} checksum mode. The complete request must use "
            "the same checksum mode.",
        )
    lacking = [entry["PartNumber"] for entry in _listed(request) if not entry.get(member)]
    if upload.checksum_type == "COMPOSITE" and lacking:
        raise StoreError(
            "InvalidRequest",
            f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
            f"the checksum for each part. It was missing for part {lacking[0]} in the request.",
        )


def _check_whole(request: dict[str, Any], parts: list[Part]) -> None:
    size = request.get("MpuObjectSize")
    if size is not None and size != sum(part.size for part in parts):
        raise StoreError(
            "InvalidRequest",
            "The provided 'x-amz-mp-object-size' header value does not match what was computed.",
        )
