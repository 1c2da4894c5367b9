"""Which bytes of an object a Get or Head is about: all, a range or a part.

Source: RFC 9110, section 14 (a `Range` that cannot be read is ignored), and "GetObject" in the S3 API
Reference.
"""

import re
from typing import Any, NamedTuple

from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3.names import part_number

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class Extent(NamedTuple):
    offset: int
    length: int


def extent_of(request: dict[str, Any], version: Version) -> tuple[Extent, dict[str, Any]]:
    """The bytes asked for, and what the answer says of them."""
    number = request.get("PartNumber")
    if number is not None:
        if request.get("Range"):
            raise StoreError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        extent = _part(version, part_number(request))
    else:
        found = range_of(request.get("Range", ""), version.size)
        if found is None:
            return Extent(0, version.size), {"ContentLength": version.size}
        extent = found
    said: dict[str, Any] = {"ContentLength": extent.length}
    if number is not None and version.parts:
        said["PartsCount"] = len(version.parts)
    if extent.length:  # an empty object has one part and no byte to name
        last = extent.offset + extent.length - 1
        said["ContentRange"] = f"bytes {extent.offset}-{last}/{version.size}"
    return extent, said


def range_of(header: str, size: int) -> Extent | None:
    """None where the header is empty, or is not one range of bytes."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) + 1, size) if first and last else size
    if start >= end:
        raise StoreError(
            "InvalidRange",
            "The requested range is not satisfiable",
            416,
            RangeRequested=header,
            ActualObjectSize=size,
        ).telling(ContentRange=f"bytes */{size}")
    return Extent(start, end - start)


def _part(version: Version, number: int) -> Extent:
    offset = 0
    for part in version.parts or [{"PartNumber": 1, "Size": version.size}]:
        if part["PartNumber"] == number:
            return Extent(offset, part["Size"])
        offset += part["Size"]
    raise StoreError(
        "InvalidPartNumber",
        "The requested partnumber is not satisfiable",
        416,
        PartNumberRequested=number,
        ActualPartCount=max(1, len(version.parts)),
    )
