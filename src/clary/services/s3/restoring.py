"""RestoreObject: an archived object becomes readable for some days.

A restore is done at once, so none is ever found in progress. What is archived and until when is kept by
`clary.objects.archive`.
"""

from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.archive import RESTORED_UNTIL, end_of, is_archived, restored_until
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.described import STANDARD
from clary.services.s3.enums import values_of
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_object
from clary.wire.refusals import malformed_xml
from clary.wire.serialize.s3 import Accepted


@s3_operation("RestoreObject")
def restore_object(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """Restored already, it stays for so many days from now (200); else its copy is made (202)."""
    wanted = request.get("RestoreRequest", {})
    days, tier = _days(wanted), _tier(wanted)

    def restore(connection: Connection) -> dict[str, Any]:
        _, version = named_object(connection, request)
        if not is_archived(version):
            message = "Restore is not allowed for the object's current storage class"
            storage_class = version.headers.get("StorageClass", STANDARD)
            raise StoreError("InvalidObjectState", message, 403, StorageClass=storage_class)
        if tier == "Expedited" and version.headers["StorageClass"] == "DEEP_ARCHIVE":
            raise StoreError("InvalidRequest", "Retrieval option is not supported by this storage class")
        versions.set_headers(connection, version, version.headers | {RESTORED_UNTIL: end_of(days)})
        return Accepted() if restored_until(version) is None else {}

    return store.change(restore)


def _days(wanted: dict[str, Any]) -> int:
    if wanted.get("Type") or wanted.get("OutputLocation") or wanted.get("SelectParameters"):
        raise StoreError("NotImplemented", "Clary does not query archived objects; it restores them.", 501)
    days: int | None = wanted.get("Days")
    if days is None:
        raise malformed_xml()
    if days < 1:
        raise StoreError(
            "InvalidArgument", "restoration days should be at least 1", ArgumentName="Days", ArgumentValue=days
        )
    return days


def _tier(wanted: dict[str, Any]) -> str:
    """How soon AWS would have it restored; here that is at once, whichever it is."""
    tier: str = wanted.get("GlacierJobParameters", {}).get("Tier") or wanted.get("Tier", "Standard")
    if tier not in values_of("Tier"):
        raise malformed_xml()
    return tier
