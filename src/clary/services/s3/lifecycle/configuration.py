"""Putting, describing and taking away the lifecycle configuration of a bucket."""

from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.buckets import find_bucket
from clary.services.s3.handler import s3_operation
from clary.services.s3.lifecycle import KIND
from clary.services.s3.lifecycle.checks import checked_rules
from clary.services.s3.lookup import named_bucket
from clary.wire.refusals import malformed_xml

_SMALLEST = "TransitionDefaultMinimumObjectSize"
_SIZES = ("all_storage_classes_128K", "varies_by_storage_class")


@s3_operation("PutBucketLifecycleConfiguration")
def put_bucket_lifecycle_configuration(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    if "LifecycleConfiguration" not in request:
        raise malformed_xml()  # the model does not require it
    smallest = request.get(_SMALLEST, _SIZES[0])
    if smallest not in _SIZES:
        raise StoreError("InvalidArgument", f"{_SMALLEST} must be one of {', '.join(_SIZES)}.", ArgumentValue=smallest)
    document = {"Rules": checked_rules(request["LifecycleConfiguration"]["Rules"]), _SMALLEST: smallest}

    def change(connection: Connection) -> None:
        bucket = named_bucket(connection, request)
        buckets.put_document(connection, bucket.name, KIND, document)

    store.change_bucket(request["Bucket"], change)
    return {_SMALLEST: smallest}


@s3_operation("GetBucketLifecycleConfiguration")
def get_bucket_lifecycle_configuration(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = find_bucket(store, request)
    document = store.documents.of(bucket.name, KIND)
    if document is None:
        message = "The lifecycle configuration does not exist"
        raise StoreError("NoSuchLifecycleConfiguration", message, 404, BucketName=bucket.name)
    return {_SMALLEST: _SIZES[0], **document}


@s3_operation("DeleteBucketLifecycle")
def delete_bucket_lifecycle(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    def change(connection: Connection) -> None:
        bucket = named_bucket(connection, request)
        buckets.remove_document(connection, bucket.name, KIND)

    store.change_bucket(request["Bucket"], change)
