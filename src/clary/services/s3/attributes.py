"""What GetObjectAttributes says of an object without sending it."""

from functools import partial
from typing import Any

from clary.control.call import Call
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3.described import summary
from clary.services.s3.handler import s3_operation
from clary.services.s3.listing import number_from, page_size
from clary.services.s3.lookup import identity, named_object

ATTRIBUTES = ("ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize")


@s3_operation("GetObjectAttributes")
def get_object_attributes(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    asked = request["ObjectAttributes"]
    if not asked or any(name not in ATTRIBUTES for name in asked):
        raise StoreError(
            "InvalidArgument",
            "Invalid attribute name specified.",
            ArgumentName="x-amz-object-attributes",
            ArgumentValue=",".join(asked),
        )
    bucket, version = store.view(partial(named_object, request=request))
    attributes: dict[str, Any] = {
        "ETag": version.etag,
        "ObjectSize": version.size,
        "StorageClass": summary(version)["StorageClass"],
    }
    if version.checksums:
        # Unlike everywhere else, a checksum of parts' checksums stands without the number of parts.
        attributes["Checksum"] = {name: value.partition("-")[0] for name, value in version.checksums.items()}
    if version.parts:
        attributes["ObjectParts"] = {"TotalPartsCount": len(version.parts), **_parts(version, request)}
    said = {name: value for name, value in attributes.items() if name in asked}
    return {"LastModified": version.modified, **identity(bucket, version), **said}


def _parts(version: Version, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the parts, which S3 lists only where they have checksums that the object's is made of."""
    marker, most = number_from(request, "PartNumberMarker", 0), page_size(request, "MaxParts")
    if version.checksums.get("ChecksumType") != "COMPOSITE":
        return {}
    rest = [part for part in version.parts if part["PartNumber"] > marker]
    shown = rest[:most]
    return {
        "PartNumberMarker": marker,
        "NextPartNumberMarker": shown[-1]["PartNumber"] if shown else marker,
        "MaxParts": most,
        "IsTruncated": len(rest) > most > 0,
        "Parts": shown,
    }
