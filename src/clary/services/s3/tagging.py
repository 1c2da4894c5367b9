"""Tags of objects. Source of the limits: "Categorizing your objects using tags" in the Amazon S3 User
Guide."""

from typing import Any
from urllib.parse import parse_qsl

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import versions
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import identity, named_object

MOST_TAGS = 10
LONGEST_NAME = 128
LONGEST_VALUE = 256

Tags = list[dict[str, str]]


@s3_operation("GetObjectTagging")
def get_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    def read(connection: Connection) -> dict[str, Any]:
        bucket, version = named_object(connection, request)
        return {**identity(bucket, version), "TagSet": version.tags}

    return store.view(read)


@s3_operation("PutObjectTagging")
def put_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _replace_tags(store, request, checked(request["Tagging"]["TagSet"]))


@s3_operation("DeleteObjectTagging")
def delete_object_tagging(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _replace_tags(store, request, [])


def tags_of(request: dict[str, Any]) -> Tags:
    """From the `Tagging` header of a write, which is written like a URL's query."""
    pairs = parse_qsl(request.get("Tagging", ""), keep_blank_values=True)
    return checked([{"Key": name, "Value": value} for name, value in pairs])


def checked(tags: Tags) -> Tags:
    if len(tags) > MOST_TAGS:
        raise StoreError("BadRequest", "Object tags cannot be greater than 10")
    if len({tag["Key"] for tag in tags}) < len(tags):
        raise StoreError("InvalidTag", "Cannot provide multiple Tags with the same key")
    for tag in tags:
        if not 0 < len(tag["Key"]) <= LONGEST_NAME:
            raise StoreError("InvalidTag", "The TagKey you have provided is invalid")
        if len(tag["Value"]) > LONGEST_VALUE:
            raise StoreError("InvalidTag", "The TagValue you have provided is invalid")
    return tags


def _replace_tags(store: EmbeddedStore, request: dict[str, Any], tags: Tags) -> dict[str, Any]:
    def change(connection: Connection) -> dict[str, Any]:
        bucket, version = named_object(connection, request)
        versions.set_tags(connection, version, tags)
        return identity(bucket, version)

    return store.change(change)
