"""The rules for names of buckets, keys, versions and parts, and who owns what.

Source: "General purpose bucket naming rules" and "Naming Amazon S3 objects" in the Amazon S3 User Guide.
"""

import hashlib
import re
from typing import Any, NamedTuple
from urllib.parse import unquote

from clary.objects.embedded import OWN_BUCKET
from clary.objects.errors import StoreError, no_such_bucket

LONGEST_KEY = 1024
MOST_PARTS = 10_000

_BUCKET = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)")
_VERSION = re.compile(r"null|[0-9a-f]{32}")
"""All that the store ever gave out."""
_IP_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")


def check_bucket_name(name: str) -> None:
    if not _BUCKET.fullmatch(name) or ".." in name or _IP_ADDRESS.fullmatch(name):
        raise StoreError("InvalidBucketName", "The specified bucket is not valid.", 400, BucketName=name)


def key_of(request: dict[str, Any]) -> bytes:
    return key_bytes(request["Key"])


def key_bytes(key: str) -> bytes:
    encoded = key.encode()
    if len(encoded) > LONGEST_KEY:
        raise StoreError(
            "KeyTooLongError",
            "Your key is too long",
            400,
            Size=len(encoded),
            MaxSizeAllowed=LONGEST_KEY,
        )
    return encoded


def version_id_of(request: dict[str, Any]) -> str | None:
    version_id: str | None = request.get("VersionId")
    if version_id is not None:
        check_version_id(version_id, "versionId")
    return version_id


def check_version_id(version_id: str, argument: str) -> None:
    if not _VERSION.fullmatch(version_id):
        message = "Invalid version id specified" if version_id else "Version id cannot be the empty string"
        raise StoreError("InvalidArgument", message, ArgumentName=argument, ArgumentValue=version_id)


class CopySource(NamedTuple):
    bucket: str
    key: str
    """Empty where none is named."""
    version_id: str | None


def copy_source(named: str) -> CopySource:
    """Of a header `bucket/key` or `/bucket/key?versionId=id`, percent-encoded."""
    path, version, version_id = named.partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if bucket == OWN_BUCKET:
        raise no_such_bucket(bucket)
    return CopySource(bucket, key, version_id if version else None)


def part_number(request: dict[str, Any]) -> int:
    number: int = request["PartNumber"]
    if not 1 <= number <= MOST_PARTS:
        raise StoreError(
            "InvalidArgument",
            "Part number must be an integer between 1 and 10000, inclusive",
            ArgumentName="partNumber",
            ArgumentValue=number,
        )
    return number


def owner(account: str) -> dict[str, str]:
    """The canonical user of an account: 64 hexadecimal digits, as AWS's are, and always the same."""
    return {"ID": hashlib.sha256(account.encode()).hexdigest()}
