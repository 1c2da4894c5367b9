"""Lifecycle rules and encryptions of buckets in the form in which they count.

They were kept unread before. A rule gets the ID that its client left out; one that lacks a number of days, or has none
to count, is disabled, as S3 would have refused it. An encryption that names no algorithm goes.
"""

import uuid
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_DOCUMENTS = sa.table("bucket_documents", sa.column("bucket"), sa.column("kind"), sa.column("document", sa.JSON()))
_DAYS = {
    "Expiration": "Days",
    "NoncurrentVersionExpiration": "NoncurrentDays",
    "AbortIncompleteMultipartUpload": "DaysAfterInitiation",
}


def upgrade() -> None:
    for kind, mend in _MEND.items():
        kept: Any = op.get_bind().execute(sa.select(_DOCUMENTS).where(_DOCUMENTS.c.kind == kind)).all()
        for bucket, _, document in kept:
            here = (_DOCUMENTS.c.bucket == bucket) & (_DOCUMENTS.c.kind == kind)
            mended = mend(document)
            if mended is None:
                op.execute(_DOCUMENTS.delete().where(here))
            else:
                op.execute(_DOCUMENTS.update().where(here).values(document=mended))


def _lifecycle(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "Rules": [_rule(rule) for rule in document["Rules"]]}


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    sound = all(_counts(rule[action], days) for action, days in _DAYS.items() if action in rule)
    return {**rule, "ID": rule.get("ID") or uuid.uuid4().hex, "Status": rule["Status"] if sound else "Disabled"}


def _counts(action: dict[str, Any], days: str) -> bool:
    without = "Date" in action or "ExpiredObjectDeleteMarker" in action
    return bool(action[days] >= 1) if days in action else without


def _encryption(document: dict[str, Any]) -> dict[str, Any] | None:
    rules = [{"BucketKeyEnabled": False, **rule} for rule in document["Rules"]]
    sound = rules and all("ApplyServerSideEncryptionByDefault" in rule for rule in rules)
    return {**document, "Rules": rules} if sound else None


_MEND: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {
    "BucketLifecycleConfiguration": _lifecycle,
    "BucketEncryption": _encryption,
}
