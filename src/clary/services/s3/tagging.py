"""Tags: of objects, and what is asked of those of buckets and of lifecycle rules too.

Source of the limits: "Categorizing your objects using tags" and "Using cost allocation S3 bucket tags" in the Amazon
S3 User Guide.
"""

from typing import Any
from unicodedata import category
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import identity, named_object

MOST_OF_AN_OBJECT = 10
MOST_OF_A_BUCKET = 50
LONGEST_NAME = 128
LONGEST_VALUE = 256

_BESIDES = "_.:/=+-@"
"""What keys and values may hold besides letters, digits and spaces of any script."""

Tags = list[dict[str, str]]


@s3_operation("GetObjectTagging")
def get_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    def read(connection: Connection) -> dict[str, Any]:
        bucket, version = named_object(connection, request)
        return {**identity(bucket, version), "TagSet": version.tags}

    return store.view(read)


@s3_operation("PutObjectTagging")
def put_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _replace_tags(store, request, _checked_of_object(request["Tagging"]["TagSet"]))


@s3_operation("DeleteObjectTagging")
def delete_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _replace_tags(store, request, [])


def tags_of(request: dict[str, Any]) -> Tags:
    """From the `Tagging` header of a write, which is written like a URL's query."""
    header = request.get("Tagging", "")
    try:
        pairs = parse_qsl(header, keep_blank_values=True, errors="strict")
    except UnicodeDecodeError as error:
        raise _unreadable(header) from error
    tags = [{"Key": name, "Value": value} for name, value in pairs]
    if len({tag["Key"] for tag in tags}) < len(tags) or not all(map(is_valid, tags)):
        raise _unreadable(header)
    return _checked_of_object(tags)


def checked_of_bucket(tags: Tags) -> Tags:
    if len(tags) > MOST_OF_A_BUCKET:
        raise StoreError("BadRequest", f"Bucket tag count cannot be greater than {MOST_OF_A_BUCKET}")
    return checked(tags, "System tags cannot be added/updated by requester")


def _checked_of_object(tags: Tags) -> Tags:
    if len(tags) > MOST_OF_AN_OBJECT:
        raise StoreError("BadRequest", f"Object tags cannot be greater than {MOST_OF_AN_OBJECT}")
    return checked(tags, "Your TagKey cannot be prefixed with aws:")


def checked(tags: Tags, reserved: str) -> Tags:
    """`reserved` is what is said of keys that AWS keeps for itself."""
    known = set()
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if key in known:
            raise StoreError("InvalidTag", "Cannot provide multiple Tags with the same key", TagKey=key)
        known.add(key)
        if key.lower().startswith("aws:"):
            raise StoreError("InvalidTag", reserved, TagKey=key)
        if not is_valid(tag | {"Value": ""}):
            raise StoreError("InvalidTag", "The TagKey you have provided is invalid", TagKey=key)
        if not is_valid(tag):
            raise StoreError("InvalidTag", "The TagValue you have provided is invalid", TagKey=key, TagValue=value)
    return tags


def is_valid(tag: dict[str, str]) -> bool:
    return (
        0 < len(tag["Key"]) <= LONGEST_NAME
        and len(tag["Value"]) <= LONGEST_VALUE
        and all(category(char)[0] in "LNZ" or char in _BESIDES for char in tag["Key"] + tag["Value"])
    )


def _unreadable(header: str) -> StoreError:
    return StoreError(
        "InvalidArgument",
        "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name "
        "duplicates.",
        ArgumentName="x-amz-tagging",
        ArgumentValue=header,
    )


def _replace_tags(store: EmbeddedStore, request: dict[str, Any], tags: Tags) -> dict[str, Any]:
    def change(connection: Connection) -> dict[str, Any]:
        bucket, version = named_object(connection, request)
        versions.set_tags(connection, version, tags)
        return identity(bucket, version)

    return store.change(change)
