"""Who owns what is written into a bucket, and what may be public: the two settings that access control lists obey.

Source: "Controlling ownership of objects" and "Blocking public access to your Amazon S3 storage" in the Amazon
S3 User Guide.
"""

from typing import Any

from clary.objects.embedded import EmbeddedStore
from clary.objects.errors import StoreError
from clary.services.s3.enums import values_of
from clary.wire.refusals import malformed_xml

CONTROLS = "BucketOwnershipControls"
BLOCK = "PublicAccessBlock"
BUCKET_ACL = "BucketAcl"

ENFORCED = "BucketOwnerEnforced"
"""Lists are switched off: what every bucket has unless its owner says otherwise."""
WITHOUT_CONTROLS = "ObjectWriter"
"""What holds where the controls were deleted."""

BLOCKS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def ownership_of(store: EmbeddedStore, bucket: str) -> str:
    controls = store.documents.of(bucket, CONTROLS)
    if controls is None:
        return ENFORCED
    ownership: str = controls["Rules"][0]["ObjectOwnership"] if controls else WITHOUT_CONTROLS
    return ownership


def blocks(store: EmbeddedStore, bucket: str, setting: str) -> bool:
    """Whether one of `BLOCKS` is on. All are on in a bucket whose owner did not touch them."""
    configuration = store.documents.of(bucket, BLOCK)
    return configuration is None or bool(configuration.get(setting))


def acl_conflict() -> StoreError:
    return StoreError(
        "InvalidBucketAclWithObjectOwnership",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
    )


def checked_controls(store: EmbeddedStore, bucket: str, controls: dict[str, Any]) -> dict[str, Any]:
    """One rule; and switching lists off takes a bucket whose own list grants nothing to others."""
    rules = controls["Rules"]
    if len(rules) != 1 or rules[0]["ObjectOwnership"] not in values_of("ObjectOwnership"):
        raise malformed_xml()
    if rules[0]["ObjectOwnership"] == ENFORCED:
        grants = store.documents.of(bucket, BUCKET_ACL) or []
        if any(grant["Grantee"]["Type"] != "CanonicalUser" for grant in grants):
            raise acl_conflict()
    return controls


def checked_block(_store: EmbeddedStore, _bucket: str, configuration: dict[str, Any]) -> dict[str, Any]:
    return {setting: bool(configuration.get(setting)) for setting in BLOCKS}
