"""When the rules of a bucket come to act on a version or an upload, and which of them.

All times are epoch seconds. What is counted in days ends at the midnight (UTC) after them.
"""

from typing import Any, NamedTuple
from urllib.parse import quote

from clary.objects.embedded import EmbeddedStore
from clary.objects.uploads import Upload
from clary.objects.versions import Version
from clary.services.s3.lifecycle import KIND
from clary.services.s3.lifecycle.filters import filter_of
from clary.wire.dates import http_date

Rules = list[dict[str, Any]]
_DAY = 24 * 3600


class Due(NamedTuple):
    at: float
    rule: str


def active(document: dict[str, Any] | None) -> Rules:
    return [rule for rule in document["Rules"] if rule["Status"] == "Enabled"] if document else []


def expiry(rules: Rules, version: Version) -> Due | None:
    """When the object that a version is, if it stays the newest, is deleted; a delete marker goes likewise when
    nothing is left below it."""
    found = []
    for rule in rules:
        expiration = rule.get("Expiration", {})
        if expiration.get("ExpiredObjectDeleteMarker") and version.body is None and _is_about(rule, version):
            found.append(Due(version.modified, rule["ID"]))
        if "Days" in expiration and _is_about(rule, version):
            found.append(Due(_midnight_after(version.modified, expiration["Days"]), rule["ID"]))
        if "Date" in expiration and _is_about(rule, version):
            found.append(Due(expiration["Date"], rule["ID"]))
    return min(found, default=None)


def noncurrent_expiry(rules: Rules, version: Version, since: float, newer: int) -> Due | None:
    """When a version is removed that is not the newest: since when, and how many of its key became so after it."""
    found = []
    for rule in rules:
        expiration = rule.get("NoncurrentVersionExpiration")
        if expiration and newer >= expiration.get("NewerNoncurrentVersions", 0) and _is_about(rule, version):
            found.append(Due(_midnight_after(since, expiration["NoncurrentDays"]), rule["ID"]))
    return min(found, default=None)


def abortion(rules: Rules, upload: Upload) -> Due | None:
    found = [
        Due(_midnight_after(upload.started, rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"]), rule["ID"])
        for rule in rules
        if "AbortIncompleteMultipartUpload" in rule and filter_of(rule).takes(upload.key, 0, [])
    ]
    return min(found, default=None)


def told_expiry(store: EmbeddedStore, version: Version) -> dict[str, str]:
    """What answers say of when the object goes."""
    due = expiry(active(store.documents.of(version.bucket, KIND)), version)
    return {"Expiration": f'expiry-date="{http_date(due.at)}", rule-id="{quote(due.rule)}"'} if due else {}


def told_abortion(store: EmbeddedStore, upload: Upload) -> dict[str, Any]:
    due = abortion(active(store.documents.of(upload.bucket, KIND)), upload)
    return {"AbortDate": due.at, "AbortRuleId": due.rule} if due else {}


def _is_about(rule: dict[str, Any], version: Version) -> bool:
    return filter_of(rule).takes(version.key, version.size, version.tags)


def _midnight_after(moment: float, days: int) -> float:
    return (int(moment + days * _DAY) // _DAY + 1) * _DAY
