"""Access control lists as S3 has them since 2023: switched off, because the bucket's owner owns every object.

Source: "Controlling ownership of objects and disabling ACLs" in the Amazon S3 User Guide.
"""

from functools import partial
from typing import Any

from clary.control.call import Call
from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.handler import s3_operation
from clary.services.s3.lookup import named_bucket, named_object
from clary.services.s3.names import owner

_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP", "AccessControlPolicy")


@s3_operation("GetBucketAcl")
def get_bucket_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    return _owners_only(store.view(partial(named_bucket, request=request)).account)


@s3_operation("GetObjectAcl")
def get_object_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> dict[str, Any]:
    bucket, _ = store.view(partial(named_object, request=request))
    return _owners_only(bucket.account)


@s3_operation("PutBucketAcl")
def put_bucket_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    store.view(partial(named_bucket, request=request))
    check_canned_acl(request)


@s3_operation("PutObjectAcl")
def put_object_acl(store: EmbeddedStore, _call: Call, request: dict[str, Any]) -> None:
    store.view(partial(named_object, request=request))
    check_canned_acl(request)


def check_canned_acl(request: dict[str, Any]) -> None:
    """The one list that may be asked for is the one that every object has."""
    canned = request.get("ACL", "bucket-owner-full-control")
    if canned != "bucket-owner-full-control" or any(request.get(member) for member in _GRANTS):
        raise StoreError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _owners_only(account: str) -> dict[str, Any]:
    user = owner(account)
    return {
        "Owner": user,
        "Grants": [{"Grantee": {"Type": "CanonicalUser", **user}, "Permission": "FULL_CONTROL"}],
    }
