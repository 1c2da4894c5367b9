"""Objects of the storage classes for archives, which are read only once they were restored, for some days.

The bytes lie where all others do: what is kept is the promise of the class, not its price. Source: "Working with
archived objects" in the Amazon S3 User Guide.
"""

import time
from typing import TYPE_CHECKING

from clary.objects.errors import StoreError

if TYPE_CHECKING:
    from clary.objects.versions import Version

ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
RESTORED_UNTIL = "RestoredUntil"
"""Where a version keeps the end of its restored copy, in epoch seconds, among what was said of it."""

_DAY = 24 * 3600
_REFUSAL = "The operation is not valid for the object's storage class"


def is_archived(version: "Version") -> bool:
    return version.headers.get("StorageClass") in ARCHIVED


def restored_until(version: "Version") -> float | None:
    """When the restored copy goes; None where there is none."""
    until: float = version.headers.get(RESTORED_UNTIL, 0.0)
    return until if until > time.time() else None


def end_of(days: int) -> float:
    """When a copy that is restored now for so many days goes: at midnight (UTC) after them."""
    return (int(time.time() + days * _DAY) // _DAY + 1) * _DAY


def check_readable(version: "Version", refusal: str = _REFUSAL) -> None:
    if is_archived(version) and restored_until(version) is None:
        raise StoreError("InvalidObjectState", refusal, 403, StorageClass=version.headers["StorageClass"])
