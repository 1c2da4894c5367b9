"""Buckets: owned by an account, known in every region, kept in one."""

from typing import Any

from sqlalchemy import Connection

from clary.arns import global_arn
from clary.control.call import Call
from clary.objects import buckets, uploads
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.objects.locks import LOCKING
from clary.services.s3.access import new_bucket_documents
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket
from clary.services.s3.names import check_bucket_name, owner
from clary.services.s3.tagging import checked_of_bucket
from clary.services.s3.tokens import read_token, token_of
from clary.wire.models import service_model
from clary.wire.refusals import malformed_xml

MOST_BUCKETS = 10_000
"""On a page."""
HOME_REGION = "us-east-1"
"""The region of buckets whose location constraint is empty."""
_ALIASES = {"EU": "eu-west-1"}


@s3_operation("CreateBucket")
def create_bucket(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    name = request["Bucket"]
    check_bucket_name(name)
    configuration = request.get("CreateBucketConfiguration") or {}
    region = _chosen_region(configuration.get("LocationConstraint"), call.scope.region)
    documents = new_bucket_documents(call, request)
    if tags := configuration.get("Tags"):
        documents["BucketTagging"] = {"TagSet": checked_of_bucket(tags)}
    versioning = ""
    if request.get("ObjectLockEnabledForBucket"):
        versioning, documents[LOCKING] = "Enabled", {"ObjectLockEnabled": "Enabled"}

    store.change_bucket(
        name, lambda connection: buckets.create(connection, name, call.scope.account, region, versioning, documents)
    )
    return {"Location": f"/{name}", "BucketArn": global_arn("s3", region, "", name)}


def _chosen_region(constraint: str | None, endpoint: str) -> str:
    """Where the bucket goes; `endpoint` is the region that the call was signed for."""
    region = _ALIASES.get(constraint, constraint) if constraint else HOME_REGION
    if endpoint not in (HOME_REGION, region):
        raise StoreError(
            "IllegalLocationConstraintException",
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific "
            "endpoint this request was sent to.",
        )
    regions = service_model("s3").shape_for("BucketLocationConstraint").enum
    # An operator's own region is in no list; the home region is named by leaving the constraint out.
    if constraint and constraint not in regions and (constraint == HOME_REGION or constraint != endpoint):
        raise StoreError(
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
            LocationConstraint=constraint,
        )
    return region


@s3_operation("DeleteBucket")
def delete_bucket(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    def remove(connection: Connection) -> None:
        bucket = named_bucket(connection, request)
        uploads.remove_all(connection, bucket.name)
        buckets.remove(connection, bucket.name)

    store.change_bucket(request["Bucket"], remove)


@s3_operation("HeadBucket")
def head_bucket(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = find_bucket(store, request)
    return {
        "BucketArn": global_arn("s3", bucket.region, "", bucket.name),
        "BucketRegion": bucket.region,
        "AccessPointAlias": False,
    }


@s3_operation("GetBucketLocation")
def get_bucket_location(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    region = find_bucket(store, request).region
    return {"LocationConstraint": region if region != HOME_REGION else None}


@s3_operation("ListBuckets")
def list_buckets(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Any]:
    account, prefix = call.scope.account, request.get("Prefix", "")
    found = store.view(lambda c: buckets.listed(c, account, prefix, request.get("BucketRegion")))
    token = request.get("ContinuationToken")
    if token is not None:
        after = read_token(token).decode()
        found = [bucket for bucket in found if bucket.name > after]
    most = request.get("MaxBuckets", MOST_BUCKETS)
    if not 1 <= most <= MOST_BUCKETS:
        raise StoreError(
            "InvalidArgument",
            f"Argument max-buckets must be an integer between 1 and {MOST_BUCKETS}",
            ArgumentName="max-buckets",
            ArgumentValue=most,
        )
    result: dict[str, Any] = {
        "Owner": owner(account),
        "Buckets": [
            {
                "Name": bucket.name,
                "CreationDate": bucket.created,
                "BucketRegion": bucket.region,
                "BucketArn": global_arn("s3", bucket.region, "", bucket.name),
            }
            for bucket in found[:most]
        ],
    }
    if prefix:
        result["Prefix"] = prefix
    if len(found) > most:
        result["ContinuationToken"] = token_of(found[most - 1].name.encode())
    return result


@s3_operation("GetBucketVersioning")
def get_bucket_versioning(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    versioning = find_bucket(store, request).versioning
    return {"Status": versioning} if versioning else {}


@s3_operation("PutBucketVersioning")
def put_bucket_versioning(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    configuration = request["VersioningConfiguration"]
    if configuration.get("MFADelete") == "Enabled":
        raise StoreError("NotImplemented", "Clary does not do MFA delete.", 501)
    status = configuration.get("Status")
    if status is None:
        raise StoreError(
            "IllegalVersioningConfigurationException",
            "The Versioning element must be specified",
        )
    if status not in ("Enabled", "Suspended"):
        raise malformed_xml()

    def change(connection: Connection) -> None:
        bucket = named_bucket(connection, request)
        if status != "Enabled" and buckets.document(connection, bucket.name, LOCKING):
            raise StoreError(
                "InvalidBucketState",
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
                409,
            )
        buckets.set_versioning(connection, bucket.name, status)

    store.change(change)


def find_bucket(store: EmbeddedStore, request: dict[str, Any]) -> Bucket:
    return store.view(lambda connection: named_bucket(connection, request))
