"""Every operation of S3 that is built: importing this fills `operation`."""

from clary.services.s3 import (
    access,
    bucket_policy,
    buckets,
    copying,
    documents,
    listing,
    multipart,
    objects,
    operation,
    tagging,
)

__all__ = [
    "access",
    "bucket_policy",
    "buckets",
    "copying",
    "documents",
    "listing",
    "multipart",
    "objects",
    "operation",
    "tagging",
]
