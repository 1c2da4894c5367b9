"""Lifecycle rules of buckets: held to what S3 documents, told of, and acted on.

    PutBucketLifecycleConfiguration ─▶ checks ─▶ the bucket's document
    Get, Head, Put … ─▶ due ─▶ `x-amz-expiration`            each hour ─▶ sweep ─▶ due ─▶ versions.remove

Transitions are kept and described but move nothing: one disk has one class of storage. Source: "Managing the
lifecycle of objects" in the Amazon S3 User Guide.
"""

KIND = "BucketLifecycleConfiguration"
"""The bucket's document."""
