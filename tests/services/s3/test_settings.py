"""Settings of buckets that are kept: where access logs go, acceleration, who pays."""

from typing import Any

import pytest

from tests.platform import Platform
from tests.services.s3.helpers import refused


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    client = platform.client("s3")
    client.create_bucket(Bucket="settings")
    client.create_bucket(Bucket="settings.logs")
    return client


def logging(target: str, **more: Any) -> dict[str, Any]:
    return {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": "logs/", **more}}


def test_logging_is_kept(platform: Platform, s3: Any) -> None:
    status = logging("settings.logs", TargetObjectKeyFormat={"PartitionedPrefix": {"PartitionDateSource": "EventTime"}})
    s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus=status)
    assert s3.get_bucket_logging(Bucket="settings")["LoggingEnabled"] == status["LoggingEnabled"]
    s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus={})
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket="settings")
    with refused("InvalidTargetBucketForLogging", 400):
        s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus=logging("settings-nowhere"))
    grant = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}}
    with refused("InvalidArgument", 400):
        granted = logging("settings.logs", TargetGrants=[grant | {"Permission": "READ"}])
        s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus=granted)
    constraint: Any = {"LocationConstraint": "eu-central-1"}
    frankfurt = platform.client("s3", region="eu-central-1")
    frankfurt.create_bucket(Bucket="settings-in-frankfurt", CreateBucketConfiguration=constraint)
    with refused("CrossLocationLoggingProhibitted", 403):
        s3.put_bucket_logging(Bucket="settings", BucketLoggingStatus=logging("settings-in-frankfurt"))


def test_acceleration_is_kept(s3: Any) -> None:
    s3.put_bucket_accelerate_configuration(Bucket="settings", AccelerateConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_accelerate_configuration(Bucket="settings")["Status"] == "Enabled"
    with refused("MalformedXML", 400):
        s3.put_bucket_accelerate_configuration(Bucket="settings", AccelerateConfiguration={})
    with refused("InvalidRequest", 400):
        s3.put_bucket_accelerate_configuration(Bucket="settings.logs", AccelerateConfiguration={"Status": "Enabled"})


def test_who_pays_is_kept(s3: Any) -> None:
    s3.put_bucket_request_payment(Bucket="settings", RequestPaymentConfiguration={"Payer": "Requester"})
    assert s3.get_bucket_request_payment(Bucket="settings")["Payer"] == "Requester"
    with refused("MalformedXML", 400):
        s3.put_bucket_request_payment(Bucket="settings", RequestPaymentConfiguration={"Payer": "Nobody"})
    s3.put_bucket_request_payment(Bucket="settings", RequestPaymentConfiguration={"Payer": "BucketOwner"})
    assert s3.get_bucket_request_payment(Bucket="settings")["Payer"] == "BucketOwner"
