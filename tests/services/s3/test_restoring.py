"""Archived objects: not to be read until they are restored, as boto3 sees it."""

import itertools
import math
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import body_of, refused

DAY = 24 * 3600
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"restoring-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def restore(s3: Any, bucket: str, **wanted: Any) -> int:
    answer = s3.restore_object(Bucket=bucket, Key="key", RestoreRequest=wanted)
    status: int = answer["ResponseMetadata"]["HTTPStatusCode"]
    return status


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_an_archived_object_is_read_when_it_was_restored(s3: Any, bucket: str, storage_class: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass=storage_class)
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["StorageClass"], head.get("Restore")) == (storage_class, None)
    source = {"Bucket": bucket, "Key": "key"}
    with refused("InvalidObjectState", 403) as error:
        s3.get_object(Bucket=bucket, Key="key")
    assert error["StorageClass"] == storage_class
    with refused("InvalidObjectState", 403):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert restore(s3, bucket, Days=2, GlacierJobParameters={"Tier": "Bulk"}) == 202
    assert body_of(s3, bucket, "key") == b"x"
    assert restore(s3, bucket, Days=3) == 200
    said = s3.head_object(Bucket=bucket, Key="key")["Restore"]
    ongoing, _, expiry = said.partition(", expiry-date=")
    assert ongoing == 'ongoing-request="false"'
    expected = (math.floor(time.time() / DAY) + 4) * DAY
    assert parsedate_to_datetime(expiry.strip('"')).timestamp() == expected
    s3.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    assert "Restore" not in s3.head_object(Bucket=bucket, Key="copy")
    assert body_of(s3, bucket, "copy") == b"x"


def test_ways_to_restore_that_there_are_not(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="DEEP_ARCHIVE")
    with refused("InvalidRequest", 400):
        restore(s3, bucket, Days=1, GlacierJobParameters={"Tier": "Expedited"})
    with refused("MalformedXML", 400):
        restore(s3, bucket, Days=1, GlacierJobParameters={"Tier": "Soon"})
    assert "Restore" not in s3.head_object(Bucket=bucket, Key="key")
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER")
    assert restore(s3, bucket, Days=1, GlacierJobParameters={"Tier": "Expedited"}) == 202


def test_listings_say_what_was_restored(s3: Any, bucket: str) -> None:
    for key in ("cold", "key"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"x", StorageClass="GLACIER")
    restore(s3, bucket, Days=1)
    asked = {"Bucket": bucket, "OptionalObjectAttributes": ["RestoreStatus"]}
    expiry = datetime.fromtimestamp((math.floor(time.time() / DAY) + 2) * DAY, UTC)
    for list_all, member in (
        (s3.list_objects, "Contents"),
        (s3.list_objects_v2, "Contents"),
        (s3.list_object_versions, "Versions"),
    ):
        cold, restored = list_all(**asked)[member]
        assert "RestoreStatus" not in cold
        assert restored["RestoreStatus"] == {"IsRestoreInProgress": False, "RestoreExpiryDate": expiry}
        assert "RestoreStatus" not in list_all(Bucket=bucket)[member][1]


def test_a_restored_object_leaves_the_archive_by_a_copy_onto_itself(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER")
    restore(s3, bucket, Days=1)
    s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "key"}, StorageClass="STANDARD")
    head = s3.head_object(Bucket=bucket, Key="key")
    assert "Restore" not in head
    assert "StorageClass" not in head
    assert body_of(s3, bucket, "key") == b"x"


def test_parts_join_into_an_archive(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key", StorageClass="GLACIER")["UploadId"]
    named = {"Bucket": bucket, "Key": "key", "UploadId": upload}
    part = {"PartNumber": 1, "ETag": s3.upload_part(**named, PartNumber=1, Body=b"x")["ETag"]}
    s3.complete_multipart_upload(**named, MultipartUpload={"Parts": [part]})
    with refused("InvalidObjectState", 403):
        s3.get_object(Bucket=bucket, Key="key")


def test_what_is_not_archived_is_not_restored(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER_IR")
    assert body_of(s3, bucket, "key") == b"x"
    with refused("InvalidObjectState", 403):
        restore(s3, bucket, Days=1)
    with refused("NoSuchKey", 404):
        s3.restore_object(Bucket=bucket, Key="absent", RestoreRequest={"Days": 1})


def test_restores_that_cannot_be(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x", StorageClass="GLACIER")
    with refused("InvalidArgument", 400):
        restore(s3, bucket, Days=0)
    with refused("MalformedXML", 400):
        restore(s3, bucket, GlacierJobParameters={"Tier": "Standard"})
    with refused("NotImplemented", 501):
        restore(s3, bucket, Type="SELECT")


def test_storage_classes_that_cannot_be(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"x")
    for unknown in ("COLD", "SNOW"):
        chosen = {"Bucket": bucket, "Key": "key", "StorageClass": unknown}
        with refused("InvalidStorageClass", 400):
            s3.put_object(**chosen, Body=b"x")
        with refused("InvalidStorageClass", 400):
            s3.copy_object(**chosen, CopySource={"Bucket": bucket, "Key": "key"})
        with refused("InvalidStorageClass", 400):
            s3.create_multipart_upload(**chosen)
