"""Retention and legal holds: what keeps a version from being deleted or let go early.

Both stand among what was said of a version (`Version.headers`), under the API's own names. Source: "Locking objects
with Object Lock" in the Amazon S3 User Guide.
"""

from typing import TYPE_CHECKING, Any

from clary.objects.errors import StoreError

if TYPE_CHECKING:
    from clary.objects.versions import Version

LOCKING = "ObjectLockConfiguration"
"""A bucket's document; there from when its versions may be locked."""

MODE = "ObjectLockMode"
UNTIL = "ObjectLockRetainUntilDate"
HOLD = "ObjectLockLegalHoldStatus"
LOCK = (MODE, UNTIL, HOLD)

GOVERNANCE = "GOVERNANCE"
"""The mode that a caller may bypass; nobody does the other."""
MODES = (GOVERNANCE, "COMPLIANCE")

DAYS_IN = {"Days": 1, "Years": 365}
_DAY = 24 * 3600


def check_removal(version: "Version", now: float, bypass: bool) -> None:
    """Refuse to delete a version for good while it is held or retained."""
    if version.headers.get(HOLD) == "ON" or (_retained(version, now) and not _bypassed(version, bypass)):
        raise _protected()


def check_retention(version: "Version", now: float, bypass: bool, mode: str | None, until: float | None) -> None:
    """Refuse what would retain the version less than it is: another mode, an earlier end, or (None) none at all."""
    if not _retained(version, now) or _bypassed(version, bypass):
        return
    if mode != version.headers[MODE] or until is None or until < version.headers[UNTIL]:
        raise _protected()


def retention(mode: str | None, until: float | None) -> dict[str, Any]:
    """What a version keeps of its retention."""
    return {MODE: mode, UNTIL: until} if mode and until is not None else {}


def default_retention(configuration: dict[str, Any] | None, now: float) -> dict[str, Any]:
    """What a new version in a bucket of that configuration keeps where its writer asked for nothing else."""
    rule = (configuration or {}).get("Rule", {}).get("DefaultRetention")
    if not rule:
        return {}
    (unit,) = set(rule) & set(DAYS_IN)
    return retention(rule["Mode"], now + rule[unit] * DAYS_IN[unit] * _DAY)


def _retained(version: "Version", now: float) -> bool:
    return bool(version.headers.get(UNTIL, 0.0) > now)


def _bypassed(version: "Version", bypass: bool) -> bool:
    return bypass and version.headers[MODE] == GOVERNANCE


def _protected() -> StoreError:
    return StoreError("AccessDenied", "Access Denied because object protected by object lock.", 403)
