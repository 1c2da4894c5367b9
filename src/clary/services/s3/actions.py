"""Which actions of policies an operation takes, and on what.

Source: "Actions, resources, and condition keys for Amazon S3" in the Service Authorization Reference, and the
permissions that each operation names in the S3 API Reference.
"""

from typing import Any, NamedTuple

from clary.arns import Arn
from clary.services.s3.names import copy_source

ACTIONS = {
    "AbortMultipartUpload": "AbortMultipartUpload",
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
"""Where the action has another name than the operation."""

OF_A_VERSION = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
"""The action that is taken instead where the request names a version."""

FURTHER = {
    "Tagging": "PutObjectTagging",
    "ACL": "PutObjectAcl",
    "GrantFullControl": "PutObjectAcl",
    "GrantRead": "PutObjectAcl",
    "GrantReadACP": "PutObjectAcl",
    "GrantWriteACP": "PutObjectAcl",
    "ObjectLockMode": "PutObjectRetention",
    "ObjectLockLegalHoldStatus": "PutObjectLegalHold",
    "BypassGovernanceRetention": "BypassGovernanceRetention",
}
"""By a member of a request that writes or deletes an object, what it does besides."""

_WRITES = frozenset({"PutObject", "CopyObject", "CreateMultipartUpload", "DeleteObject", "PutObjectRetention"})


class Act(NamedTuple):
    action: str
    bucket: str
    """Empty for what is of no bucket."""
    key: str = ""
    version_id: str | None = None

    def resource(self, partition: str) -> str:
        if not self.bucket:
            return "*"
        return str(Arn(partition, "s3", "", "", f"{self.bucket}/{self.key}" if self.key else self.bucket))


def acts_of(operation: str, request: dict[str, Any]) -> list[Act]:
    """Everything that a request does. DeleteObjects asks for each object by itself, as DeleteObject does."""
    bucket, key = request.get("Bucket", ""), request.get("Key", "")
    if operation == "DeleteObjects":
        return []
    named = [ACTIONS.get(operation, operation)]
    if operation == "GetObjectAttributes":
        named.append("GetObject")
    if request.get("VersionId"):
        named = [OF_A_VERSION.get(name, name) for name in named]
    if operation in _WRITES:
        further = (action for member, action in FURTHER.items() if request.get(member))
        named += [action for action in dict.fromkeys(further) if action not in named]
    acts = [Act(f"s3:{name}", bucket, key, request.get("VersionId")) for name in named]
    if "CopySource" in request:
        source = copy_source(request["CopySource"])
        acts += acts_of("GetObject", {"Bucket": source.bucket, "Key": source.key, "VersionId": source.version_id})
    return acts
