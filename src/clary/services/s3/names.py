"""The rules for names of buckets and keys, and who owns what.

Source: "General purpose bucket naming rules" and "Naming Amazon S3 objects" in the Amazon S3 User Guide.
"""

import hashlib
import re
from typing import Any

from clary.objects.errors import StoreError

LONGEST_KEY = 1024

_BUCKET = re.compile(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?<!-s3alias)(?<!--ol-s3)")
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


def owner(account: str) -> dict[str, str]:
    """The canonical user of an account: 64 hexadecimal digits, as AWS's are, and always the same."""
    return {"ID": hashlib.sha256(account.encode()).hexdigest()}
