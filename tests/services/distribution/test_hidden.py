"""Where blobs lie is not to be reached by S3's calls."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from clary.services.sagemaker.errors import JobError
from clary.services.sagemaker.instances.inputs import split_s3_uri
from tests.pictures import digest_of
from tests.platform import Platform
from tests.services.distribution.conftest import Client

BUCKET = ".clary"


def test_users_see_no_bucket_of_the_platforms(platform: Platform, client: Client) -> None:
    digest = client.push_blob(b"a blob")
    s3 = platform.client("s3", s3={"addressing_style": "path"})
    assert BUCKET not in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.create_bucket(Bucket="own-bucket-of-a-user")
    named = {"Bucket": BUCKET, "Key": f"blobs/{digest}"}
    calls: list[tuple[str, dict[str, Any]]] = [
        ("get_object", named),
        ("put_object", {**named, "Body": b"other"}),
        ("delete_object", named),
        ("list_objects_v2", {"Bucket": BUCKET}),
        ("create_multipart_upload", named),
        ("delete_objects", {"Bucket": BUCKET, "Delete": {"Objects": [{"Key": named["Key"]}]}}),
        ("delete_bucket_lifecycle", {"Bucket": BUCKET}),
        ("delete_bucket", {"Bucket": BUCKET}),
        ("copy_object", {"Bucket": "own-bucket-of-a-user", "Key": "stolen", "CopySource": named}),
    ]
    for call, parameters in calls:
        with pytest.raises(ClientError) as refused:
            getattr(s3, call)(**parameters)
        assert refused.value.response["Error"]["Code"] in ("NoSuchBucket", "InvalidBucketName")
    assert client.call("GET", f"blobs/{digest_of(b'a blob')}").body == b"a blob"


def test_no_job_reads_or_writes_there() -> None:
    with pytest.raises(JobError, match="is not an S3 URI"):
        split_s3_uri(f"s3://{BUCKET}/blobs/sha256:0")
