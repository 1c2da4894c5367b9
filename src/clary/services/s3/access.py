"""Access control lists of buckets and objects, where the bucket's ownership allows any.

Source: "Controlling ownership of objects and disabling ACLs" in the Amazon S3 User Guide.
"""

from functools import partial
from typing import Any

from sqlalchemy import Connection

from clary.control.call import Call
from clary.objects import buckets, versions
from clary.objects.buckets import Bucket
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.enums import values_of
from clary.services.s3.grants import Grants, asks_for_grants, grants_of, is_public, only_owner
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket, named_object
from clary.services.s3.names import owner
from clary.services.s3.ownership import BUCKET_ACL, ENFORCED, acl_conflict, blocks, ownership_of

GRANTS = "Grants"
"""Where a version keeps its list, among what was said of it; absent where only the owner has a grant."""


@s3_operation("GetBucketAcl")
def get_bucket_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket = store.view(partial(named_bucket, request=request))
    return _described(store, bucket, store.documents.of(bucket.name, BUCKET_ACL))


@s3_operation("PutBucketAcl")
def put_bucket_acl(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> None:
    _demand_a_list(request)
    store.view(partial(named_bucket, request=request))
    grants = grants_of(request, call.scope.account)
    if ownership_of(store, request["Bucket"]) == ENFORCED:
        if "ACL" in request or grants != only_owner(call.scope.account):
            raise _switched_off()
        return
    _check_public(store, request["Bucket"], grants)

    def change(connection: Connection) -> None:
        buckets.put_document(connection, named_bucket(connection, request).name, BUCKET_ACL, grants)

    store.change_bucket(request["Bucket"], change)


@s3_operation("GetObjectAcl")
def get_object_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket, version = store.view(partial(named_object, request=request))
    return _described(store, bucket, version.headers.get(GRANTS))


@s3_operation("PutObjectAcl")
def put_object_acl(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> None:
    _demand_a_list(request)
    store.view(partial(named_object, request=request))
    grants = object_grants(store, call, request)

    def change(connection: Connection) -> None:
        _, version = named_object(connection, request)
        kept = {name: value for name, value in version.headers.items() if name != GRANTS}
        versions.set_headers(connection, version, kept | grants)

    store.change(change)


def object_grants(store: EmbeddedStore, call: Call, request: dict[str, Any]) -> dict[str, Grants]:
    """What a new object keeps of the list that the request asks for: nothing where only its owner is granted all."""
    if not asks_for_grants(request):
        return {}
    grants = grants_of(request, call.scope.account)
    plain = only_owner(call.scope.account)
    if ownership_of(store, request["Bucket"]) == ENFORCED:
        if grants != plain or request.get("ACL", "bucket-owner-full-control") != "bucket-owner-full-control":
            raise _switched_off()
        return {}
    _check_public(store, request["Bucket"], grants)
    return {} if grants == plain else {GRANTS: grants}


def new_bucket_documents(call: Call, request: dict[str, Any]) -> dict[str, Any]:
    """What CreateBucket keeps of the ownership and the list that it asks for."""
    ownership = request.get("ObjectOwnership", ENFORCED)
    if ownership not in values_of("ObjectOwnership"):
        message = f"Invalid x-amz-object-ownership header: {ownership}"
        raise StoreError("InvalidArgument", message, ArgumentName="x-amz-object-ownership", ArgumentValue=ownership)
    kept: dict[str, Any] = {}
    if ownership != ENFORCED:
        kept["BucketOwnershipControls"] = {"Rules": [{"ObjectOwnership": ownership}]}
    if not asks_for_grants(request):
        return kept
    grants = grants_of(request, call.scope.account)
    if grants == only_owner(call.scope.account):
        return kept
    if ownership == ENFORCED:
        raise acl_conflict()
    if is_public(grants):
        # New buckets block public access; only PutPublicAccessBlock or its deletion changes that.
        raise StoreError(
            "InvalidBucketAclWithBlockPublicAccessError",
            "Bucket cannot have public ACLs set with BlockPublicAccess enabled",
        )
    return kept | {BUCKET_ACL: grants}


def _demand_a_list(request: dict[str, Any]) -> None:
    if not asks_for_grants(request):
        raise StoreError(
            "MissingSecurityHeader",
            "Your request was missing a required header",
            MissingHeaderName="x-amz-acl",
        )


def _check_public(store: EmbeddedStore, bucket: str, grants: Grants) -> None:
    if is_public(grants) and blocks(store, bucket, "BlockPublicAcls"):
        raise StoreError("AccessDenied", "Access Denied", 403)


def _switched_off() -> StoreError:
    return StoreError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _described(store: EmbeddedStore, bucket: Bucket, kept: Grants | None) -> dict[str, Any]:
    if kept is None or ownership_of(store, bucket.name) == ENFORCED:
        kept = only_owner(bucket.account)
    return {"Owner": owner(bucket.account), "Grants": kept}
