"""S3's contract, as boto3 sees it: buckets and what is kept with them."""

import json
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused


def test_create_head_list_delete(s3: Any, bucket: str) -> None:
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert bucket in [each["Name"] for each in s3.list_buckets()["Buckets"]]
    s3.delete_bucket(Bucket=bucket)
    with refused("404", 404):
        s3.head_bucket(Bucket=bucket)
    with refused("NoSuchBucket", 404):
        s3.delete_bucket(Bucket=bucket)


def test_creating_ones_own_bucket_again_is_fine_in_us_east_1(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="kept", Body=b"")
    s3.create_bucket(Bucket=bucket)
    assert s3.head_object(Bucket=bucket, Key="kept")["ContentLength"] == 0


def test_a_bucket_with_objects_is_not_deleted(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)


def test_open_uploads_go_with_their_bucket(s3: Any, bucket: str) -> None:
    for key in ("a", "b"):
        upload = s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        s3.upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=1, Body=b"x")
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=bucket)
    assert len(s3.list_multipart_uploads(Bucket=bucket)["Uploads"]) == 2
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_the_head_of_a_bucket_has_a_content_type(s3: Any, bucket: str) -> None:
    headers = s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPHeaders"]
    assert (headers["content-type"], headers["x-amz-bucket-region"]) == ("application/xml", "us-east-1")


@pytest.mark.parametrize("name", ["Upper-case", "192.168.1.1", "two..dots", "-begins", "ends-", "under_score", "xn--a"])
def test_bucket_naming_rules(s3: Any, name: str) -> None:
    with refused("InvalidBucketName", 400):
        s3.create_bucket(Bucket=name)


def test_missing_bucket_is_named_for_every_use(s3: Any) -> None:
    for call in (
        lambda: s3.list_objects_v2(Bucket="no-such-bucket"),
        lambda: s3.get_object(Bucket="no-such-bucket", Key="key"),
        lambda: s3.put_object(Bucket="no-such-bucket", Key="key", Body=b"x"),
        lambda: s3.put_object(Bucket="no-such-bucket", Key="key", Body=bytes(3 << 20)),
        lambda: s3.create_multipart_upload(Bucket="no-such-bucket", Key="key"),
        lambda: s3.get_bucket_location(Bucket="no-such-bucket"),
    ):
        with refused("NoSuchBucket", 404):
            call()


def test_policy_is_kept_and_returned(s3: Any, bucket: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    s3.delete_bucket_policy(Bucket=bucket)
    with refused("NoSuchBucketPolicy", 404):
        s3.get_bucket_policy(Bucket=bucket)
    with refused("MalformedPolicy", 400):
        s3.put_bucket_policy(Bucket=bucket, Policy="{")


def test_cors_is_kept_and_returned(s3: Any, bucket: str) -> None:
    rules = [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=bucket)
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules
    s3.delete_bucket_cors(Bucket=bucket)
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=bucket)


def test_lifecycle_is_kept_and_returned(s3: Any, bucket: str) -> None:
    rules = [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 7}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    s3.delete_bucket_lifecycle(Bucket=bucket)
    with refused("NoSuchLifecycleConfiguration", 404):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_tags_of_buckets(s3: Any, bucket: str) -> None:
    tags = [{"Key": "team", "Value": "ml"}]
    with refused("NoSuchTagSet", 404):
        s3.get_bucket_tagging(Bucket=bucket)
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == tags


def test_encryption_public_access_and_ownership(s3: Any, bucket: str) -> None:
    encryption = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encryption)
    kept = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    assert kept["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"] is True
    s3.delete_public_access_block(Bucket=bucket)
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)
    controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_what_was_never_set_is_answered_so(s3: Any, bucket: str) -> None:
    with refused("NoSuchWebsiteConfiguration", 404):
        s3.get_bucket_website(Bucket=bucket)
    with refused("ReplicationConfigurationNotFoundError", 404):
        s3.get_bucket_replication(Bucket=bucket)
    with refused("ObjectLockConfigurationNotFoundError", 404):
        s3.get_object_lock_configuration(Bucket=bucket)
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"
    assert "Status" not in s3.get_bucket_accelerate_configuration(Bucket=bucket)
    assert "QueueConfigurations" not in s3.get_bucket_notification_configuration(Bucket=bucket)


def test_access_control_lists_are_switched_off(s3: Any, bucket: str) -> None:
    acl = s3.get_bucket_acl(Bucket=bucket)
    assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"]
    assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL="bucket-owner-full-control")
    assert s3.get_object_acl(Bucket=bucket, Key="key")["Owner"] == acl["Owner"]
    with refused("AccessControlListNotSupported", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"", ACL="public-read")


def test_the_region_of_a_bucket_is_the_one_it_was_made_in(platform: Platform) -> None:
    frankfurt = platform.client("s3", region="eu-central-1")
    constraint: Any = {"LocationConstraint": "eu-central-1"}
    frankfurt.create_bucket(Bucket="made-in-frankfurt", CreateBucketConfiguration=constraint)
    with refused("BucketAlreadyOwnedByYou", 409):
        frankfurt.create_bucket(Bucket="made-in-frankfurt", CreateBucketConfiguration=constraint)
    virginia = platform.client("s3")
    assert virginia.get_bucket_location(Bucket="made-in-frankfurt")["LocationConstraint"] == "eu-central-1"
    assert virginia.head_bucket(Bucket="made-in-frankfurt")["BucketRegion"] == "eu-central-1"
    virginia.create_bucket(Bucket="made-in-virginia")
    assert frankfurt.get_bucket_location(Bucket="made-in-virginia")["LocationConstraint"] is None
    with refused("IllegalLocationConstraintException", 400):
        frankfurt.create_bucket(Bucket="made-nowhere")


@pytest.mark.parametrize(
    ("region", "constraint", "code"),
    [
        ("us-east-1", "us-east-1", "InvalidLocationConstraint"),
        ("us-east-1", "nowhere-1", "InvalidLocationConstraint"),
        ("eu-central-1", "us-east-1", "IllegalLocationConstraintException"),
        ("eu-central-1", "eu-west-1", "IllegalLocationConstraintException"),
        ("eu-central-1", "nowhere-1", "IllegalLocationConstraintException"),
    ],
)
def test_places_where_no_bucket_can_be_made(platform: Platform, region: str, constraint: str, code: str) -> None:
    s3 = platform.client("s3", region=region)
    with refused(code, 400):
        s3.create_bucket(Bucket="made-nowhere", CreateBucketConfiguration={"LocationConstraint": constraint})


def test_expected_bucket_owner(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"")
    with refused("403", 403):
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="999999999999")
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="key", ExpectedBucketOwner="999999999999")


def test_buckets_are_listed_in_pages(platform: Platform) -> None:
    s3 = platform.client("s3")
    names = [f"paged-{number}" for number in range(5)]
    for name in names:
        s3.create_bucket(Bucket=name)
    pages = s3.get_paginator("list_buckets").paginate(Prefix="paged-", PaginationConfig={"PageSize": 2})
    found = [[bucket["Name"] for bucket in page["Buckets"]] for page in pages]
    assert found == [names[:2], names[2:4], names[4:]]
    for token in ("", "%", "bm90IMO"):
        with refused("InvalidArgument", 400):
            s3.list_buckets(ContinuationToken=token)


def test_operations_that_are_not_built_say_so(platform: Platform) -> None:
    s3 = platform.client("s3")
    s3.create_bucket(Bucket="unbuilt")
    with refused("NotImplemented", 501) as error:
        s3.put_bucket_website(Bucket="unbuilt", WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    assert "PutBucketWebsite" in error["Message"]
