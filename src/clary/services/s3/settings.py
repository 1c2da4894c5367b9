"""Settings of a bucket that are checked and kept, and change nothing here: logging, acceleration, who pays.

Clary writes no access logs, has no other ways in that could be quicker, and charges nobody.
"""

from typing import Any

from clary.objects import buckets
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.enums import values_of
from clary.services.s3.ownership import ENFORCED, ownership_of
from clary.wire.refusals import malformed_xml

REQUESTER_PAYS = {"Payer": "Requester"}


def checked_logging(store: EmbeddedStore, bucket: str, status: dict[str, Any]) -> dict[str, Any]:
    """The bucket for the logs must be there, belong to the same account and lie in the same region."""
    if "LoggingEnabled" not in status:
        return {}
    chosen = status["LoggingEnabled"]
    source = store.view(lambda connection: buckets.find(connection, bucket))
    target = _target(store, chosen["TargetBucket"])
    if target is None:
        raise _invalid_target("The target bucket for logging does not exist", chosen["TargetBucket"])
    if target.account != source.account:
        message = "The owner for the bucket to be logged and the target bucket must be the same."
        raise _invalid_target(message, target.name)
    if target.region != source.region:
        raise StoreError(
            "CrossLocationLoggingProhibitted",
            "Cross S3 location logging not allowed. ",
            403,
            TargetBucket=target.name,
            TargetBucketLocation=target.region,
            SourceBucketLocation=source.region,
        )
    if chosen.get("TargetGrants") and ownership_of(store, target.name) == ENFORCED:
        message = "Target grants not supported for buckets with bucket owner enforced"
        raise StoreError("InvalidArgument", message, ArgumentName="TargetGrants")
    return status


def checked_acceleration(_store: EmbeddedStore, bucket: str, configuration: dict[str, Any]) -> dict[str, Any]:
    if configuration.get("Status") not in values_of("BucketAccelerateStatus"):
        raise malformed_xml()
    if "." in bucket:
        message = "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names"
        raise StoreError("InvalidRequest", message)
    return configuration


def checked_payer(_store: EmbeddedStore, _bucket: str, configuration: dict[str, Any]) -> dict[str, Any]:
    if configuration["Payer"] not in values_of("Payer"):
        raise malformed_xml()
    return configuration


def _target(store: EmbeddedStore, name: str) -> Bucket | None:
    try:
        return store.view(lambda connection: buckets.find(connection, name))
    except StoreError:
        return None


def _invalid_target(message: str, name: str) -> StoreError:
    return StoreError("InvalidTargetBucketForLogging", message, TargetBucket=name)
