"""What a request names: its bucket, and the object or version in it. Functions of an open transaction."""

import re
from typing import Any

from sqlalchemy import Connection

from clary.objects import buckets, versions
from clary.objects.buckets import Bucket
from clary.objects.errors import StoreError, no_such_key
from clary.objects.versions import Version
from clary.services.s3.names import key_of, version_id_of

_ACCOUNT = re.compile(r"[0-9]{12}")


def named_bucket(connection: Connection, request: dict[str, Any]) -> Bucket:
    expected = request.get("ExpectedBucketOwner")
    if expected is not None and not _ACCOUNT.fullmatch(expected):
        message = "The value of the expected bucket owner parameter must be an AWS account ID."
        raise StoreError("InvalidBucketOwnerAWSAccountID", message)
    return buckets.find(connection, request["Bucket"], expected)


def named_object(connection: Connection, request: dict[str, Any]) -> tuple[Bucket, Version]:
    """The bucket and the version that can be read."""
    bucket, key, version_id = named_bucket(connection, request), key_of(request), version_id_of(request)
    if version_id is not None:
        version = versions.find(connection, bucket.name, key, version_id)
        if version.body is None:
            raise _marker_itself(version)
        return bucket, version
    newest = versions.newest(connection, bucket.name, key)
    if newest is None:
        raise no_such_key(key)
    if newest.body is None:
        raise no_such_key(key).telling(DeleteMarker=True, VersionId=newest.version_id)
    return bucket, newest


def _marker_itself(marker: Version) -> StoreError:
    return StoreError(
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
        405,
        Method="GET",
        ResourceType="DeleteMarker",
    ).telling(DeleteMarker=True, VersionId=marker.version_id, LastModified=marker.modified)


def identity(bucket: Bucket, version: Version) -> dict[str, str]:
    """`VersionId`, which objects of buckets that never had versioning do not show."""
    return {"VersionId": version.version_id} if bucket.versioning else {}
