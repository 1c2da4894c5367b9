"""Every operation of S3 that is built: importing this fills `operation`."""

from clary.services.s3 import (
    access,
    attributes,
    bucket_policy,
    buckets,
    copying,
    documents,
    listing,
    listing_uploads,
    locking,
    multipart,
    notifications,
    objects,
    operation,
    restoring,
    tagging,
)
from clary.services.s3.lifecycle import configuration as lifecycle

__all__ = [
    "access",
    "attributes",
    "bucket_policy",
    "buckets",
    "copying",
    "documents",
    "lifecycle",
    "listing",
    "listing_uploads",
    "locking",
    "multipart",
    "notifications",
    "objects",
    "operation",
    "restoring",
    "tagging",
]
