"""What S3 does beyond its model.

Root elements, namespace, statuses and the headers below are those of the S3 API reference; the model does not
hold them, and most clients do not look at them.
"""

from typing import Any

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"

ROOT_ELEMENTS = {
    "CompleteMultipartUpload": "CompleteMultipartUploadResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "DeleteObjects": "DeleteResult",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketAcl": "AccessControlPolicy",
    "GetBucketCors": "CORSConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketWebsite": "WebsiteConfiguration",
    "GetObjectAcl": "AccessControlPolicy",
    "GetObjectAttributes": "GetObjectAttributesOutput",
    "GetObjectTagging": "Tagging",
    "ListBuckets": "ListAllMyBucketsResult",
    "ListDirectoryBuckets": "ListAllMyDirectoryBucketsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult",
    "ListObjectVersions": "ListVersionsResult",
    "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult",
    "ListParts": "ListPartsResult",
}


REQUEST_IDS = ("x-amz-request-id", "x-amz-id-2")
"""Headers that name a call: boto3's `RequestId` and `HostId`."""

STATUSES = {"PutBucketPolicy": 204, "PutBucketTagging": 204}
"""Where it is neither the model's nor 200."""

HEADERS: dict[str, tuple[tuple[str, str], ...]] = {"HeadBucket": (("content-type", "application/xml"),)}
"""Sent whatever the answer."""

ALLOWED = {
    "SERVICE": "GET",
    "BUCKET": "GET, HEAD, PUT, POST, DELETE",
    "OBJECT": "GET, HEAD, PUT, DELETE",
    "DeleteMarker": "DELETE",
}
"""The methods that the `Allow` header of a 405 names, by its `ResourceType`."""


class Accepted(dict[str, Any]):
    """An answer that says 202: what was asked for is only begun."""


def status_of(result: dict[str, Any], modelled: int) -> int:
    """The model has no word for it: a part of an object is answered with 206."""
    if isinstance(result, Accepted):
        return 202
    return 206 if "ContentRange" in result else modelled


def root_element(operation: str) -> str:
    return ROOT_ELEMENTS.get(operation, f"{operation}Result")
