"""What a request names: its bucket, and the object or version in it. Functions of an open transaction."""

from typing import Any

from sqlalchemy import Connection

from clary.objects import buckets, versions
from clary.objects.buckets import Bucket
from clary.objects.errors import StoreError
from clary.objects.versions import Version
from clary.services.s3.names import key_of


def named_bucket(connection: Connection, request: dict[str, Any]) -> Bucket:
    return buckets.find(connection, request["Bucket"], request.get("ExpectedBucketOwner"))


def named_object(connection: Connection, request: dict[str, Any]) -> tuple[Bucket, Version]:
    """The bucket and the version that can be read."""
    bucket = named_bucket(connection, request)
    return bucket, readable(versions.find(connection, bucket.name, key_of(request), request.get("VersionId")))


def readable(version: Version) -> Version:
    if version.body is None:
        raise StoreError(
            "MethodNotAllowed",
            "The specified method is not allowed against this resource.",
            405,
            Method="GET",
            ResourceType="DeleteMarker",
        )
    return version


def identity(bucket: Bucket, version: Version) -> dict[str, str]:
    """`VersionId`, which objects of buckets that never had versioning do not show."""
    return {"VersionId": version.version_id} if bucket.versioning else {}
