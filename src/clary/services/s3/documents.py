"""What is kept with a bucket: policy, CORS, tags and the like, each by a Put, a Get and a Delete
operation.

All are one table here, since all do the same: keep the document of the request and give it back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3 import encryption
from clary.services.s3.bucket_policy import checked_policy
from clary.services.s3.buckets import find_bucket
from clary.services.s3.cors import checked_cors
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket
from clary.services.s3.ownership import BLOCKS, ENFORCED, checked_block, checked_controls
from clary.services.s3.settings import checked_acceleration, checked_logging, checked_payer
from clary.services.s3.tagging import checked_of_bucket

Check = Callable[[EmbeddedStore, str, Any], Any]
"""`(store, bucket, document)` → the document as it is to be kept; raises where S3 would refuse it."""


@dataclass(frozen=True)
class Kind:
    """A kind of document. `name` is that of its operations: `PutBucketCors`, `GetBucketCors`,
    `DeleteBucketCors`."""

    name: str
    member: str
    """Of the Put request, that holds the document."""
    missing: tuple[str, str] | None
    """Code and message of a Get where there is none; None where that is answered with nothing."""
    spread: bool = False
    """Whether the answer to Get is the document's members, rather than `member` itself."""
    deletable: bool = True
    """Whether there is a Delete operation."""
    default: dict[str, Any] | None = None
    """What every bucket has that nobody changed."""
    lasting: bool = False
    """Whether Delete brings the default back, rather than leaving nothing."""
    check: Check | None = None


def _checked_tags(_store: EmbeddedStore, _bucket: str, document: dict[str, Any]) -> dict[str, Any]:
    tags = checked_of_bucket(document["TagSet"])
    return {"TagSet": tags} if tags else {}  # none is read as if there had never been any


KINDS = (
    Kind(
        "BucketPolicy",
        "Policy",
        ("NoSuchBucketPolicy", "The bucket policy does not exist"),
        check=checked_policy,
    ),
    Kind(
        "BucketCors",
        "CORSConfiguration",
        ("NoSuchCORSConfiguration", "The CORS configuration does not exist"),
        spread=True,
        check=checked_cors,
    ),
    Kind(
        "BucketTagging",
        "Tagging",
        ("NoSuchTagSet", "The TagSet does not exist"),
        spread=True,
        check=_checked_tags,
    ),
    Kind(
        "BucketEncryption",
        "ServerSideEncryptionConfiguration",
        (
            "ServerSideEncryptionConfigurationNotFoundError",
            "The server side encryption configuration was not found",
        ),
        default=encryption.DEFAULT,
        lasting=True,
        check=encryption.checked_encryption,
    ),
    Kind(
        "PublicAccessBlock",
        "PublicAccessBlockConfiguration",
        (
            "NoSuchPublicAccessBlockConfiguration",
            "The public access block configuration was not found",
        ),
        default=dict.fromkeys(BLOCKS, True),
        check=checked_block,
    ),
    Kind(
        "BucketOwnershipControls",
        "OwnershipControls",
        ("OwnershipControlsNotFoundError", "The bucket ownership controls were not found"),
        default={"Rules": [{"ObjectOwnership": ENFORCED}]},
        check=checked_controls,
    ),
    Kind("BucketLogging", "BucketLoggingStatus", None, spread=True, deletable=False, check=checked_logging),
    Kind(
        "BucketAccelerateConfiguration",
        "AccelerateConfiguration",
        None,
        spread=True,
        deletable=False,
        check=checked_acceleration,
    ),
    Kind(
        "BucketRequestPayment",
        "RequestPaymentConfiguration",
        None,
        spread=True,
        deletable=False,
        default={"Payer": "BucketOwner"},
        check=checked_payer,
    ),
)

NEVER_SET = {
    "GetBucketReplication": (
        "ReplicationConfigurationNotFoundError",
        "The replication configuration was not found",
    ),
    "GetBucketWebsite": (
        "NoSuchWebsiteConfiguration",
        "The specified bucket does not have a website configuration",
    ),
}
"""What tools ask of every bucket and Clary has no Put for: the answer is that it is not set."""


def _serve(kind: Kind) -> None:
    @s3_operation(f"Put{kind.name}")
    def put(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
        document = request[kind.member]
        if kind.check:
            document = kind.check(store, find_bucket(store, request).name, document)

        def change(connection: Connection) -> None:
            bucket = named_bucket(connection, request)
            buckets.put_document(connection, bucket.name, kind.name, document)

        store.change_bucket(request["Bucket"], change)

    @s3_operation(f"Get{kind.name}")
    def get(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
        bucket = find_bucket(store, request)
        document = store.view(lambda connection: buckets.document(connection, bucket.name, kind.name))
        if document is None:
            document = kind.default
        if not document and kind.missing:
            raise StoreError(*kind.missing, 404, BucketName=bucket.name)
        document = document or {}
        return dict(document) if kind.spread else {kind.member: document}

    if not kind.deletable:
        return

    @s3_operation(f"Delete{kind.name}")
    def delete(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
        def change(connection: Connection) -> None:
            bucket = named_bucket(connection, request)
            buckets.remove_document(connection, bucket.name, kind.name)
            if kind.default and not kind.lasting:
                buckets.put_document(connection, bucket.name, kind.name, {})  # taken away, not untouched

        store.change_bucket(request["Bucket"], change)


def _serve_never_set(name: str, missing: tuple[str, str]) -> None:
    @s3_operation(name)
    def get(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
        bucket = find_bucket(store, request)
        raise StoreError(*missing, 404, BucketName=bucket.name)


for _kind in KINDS:
    _serve(_kind)
for _name, _missing in NEVER_SET.items():
    _serve_never_set(_name, _missing)
