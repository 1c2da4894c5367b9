"""Queues, as boto3 sees them. It checks the digests of what it receives by itself."""

import itertools
import json
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sqs(platform: Platform) -> Any:
    return platform.client("sqs")


@pytest.fixture
def queue(sqs: Any) -> str:
    return make(sqs)


def make(sqs: Any, **attributes: str) -> str:
    url: str = sqs.create_queue(QueueName=f"queue-{next(_numbers)}", Attributes=attributes)["QueueUrl"]
    return url


def arn_of(sqs: Any, url: str) -> str:
    arn: str = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def test_queues_are_made_found_described_and_deleted(sqs: Any) -> None:
    made = sqs.create_queue(QueueName="described", Attributes={"DelaySeconds": "5"}, tags={"team": "a"})["QueueUrl"]
    assert made.endswith("/123456789012/described")
    assert sqs.create_queue(QueueName="described", Attributes={"DelaySeconds": "5"})["QueueUrl"] == made
    with pytest.raises(sqs.exceptions.QueueNameExists) as refused:
        sqs.create_queue(QueueName="described", Attributes={"DelaySeconds": "6"})
    assert refused.value.response["Error"]["Code"] == "QueueAlreadyExists"
    assert sqs.get_queue_url(QueueName="described")["QueueUrl"] == made
    sqs.set_queue_attributes(QueueUrl=made, Attributes={"VisibilityTimeout": "7"})
    attributes = sqs.get_queue_attributes(QueueUrl=made, AttributeNames=["All"])["Attributes"]
    assert attributes["QueueArn"] == "arn:aws:sqs:us-east-1:123456789012:described"
    assert (attributes["DelaySeconds"], attributes["VisibilityTimeout"]) == ("5", "7")
    assert (attributes["MessageRetentionPeriod"], attributes["ApproximateNumberOfMessages"]) == ("345600", "0")
    sqs.tag_queue(QueueUrl=made, Tags={"stage": "b"})
    sqs.untag_queue(QueueUrl=made, TagKeys=["team"])
    assert sqs.list_queue_tags(QueueUrl=made)["Tags"] == {"stage": "b"}
    sqs.create_queue(QueueName="described-too")
    page = sqs.list_queues(QueueNamePrefix="described", MaxResults=1)
    rest = sqs.list_queues(QueueNamePrefix="described", MaxResults=1, NextToken=page["NextToken"])
    assert page["QueueUrls"] + rest["QueueUrls"] == [made, f"{made}-too"]
    sqs.delete_queue(QueueUrl=made)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as gone:
        sqs.send_message(QueueUrl=made, MessageBody="x")
    assert gone.value.response["Error"]["Code"] == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"FifoQueue": "true"}, "AWS.SimpleQueueService.UnsupportedOperation"),
        ({"VisibilityTimeout": "43201"}, "InvalidAttributeValue"),
        ({"ContentBasedDeduplication": "true"}, "InvalidAttributeName"),
        ({"RedrivePolicy": json.dumps({"deadLetterTargetArn": "no", "maxReceiveCount": 1})}, "InvalidAttributeValue"),
        ({"Policy": "{}"}, "InvalidAttributeValue"),
    ],
)
def test_what_is_no_attribute_is_refused(sqs: Any, attributes: dict[str, str], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        sqs.create_queue(QueueName="refused", Attributes=attributes)
    assert refused.value.response["Error"]["Code"] == code


def test_a_message_comes_as_it_was_sent(sqs: Any, queue: str) -> None:
    attributes = {
        "kind": {"DataType": "String", "StringValue": "grün"},
        "kind.score": {"DataType": "Number.float", "StringValue": "0.5"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
    }
    sent = sqs.send_message(QueueUrl=queue, MessageBody="héllo", MessageAttributes=attributes)
    [got] = sqs.receive_message(
        QueueUrl=queue, MessageAttributeNames=["kind.*", "raw"], MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert (got["MessageId"], got["Body"], got["MD5OfBody"]) == (sent["MessageId"], "héllo", sent["MD5OfMessageBody"])
    assert got["MessageAttributes"] == {name: attributes[name] for name in ("kind.score", "raw")}
    assert got["Attributes"]["ApproximateReceiveCount"] == "1"
    assert got["Attributes"]["SenderId"] == "123456789012"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=got["ReceiptHandle"], VisibilityTimeout=0)
    [again] = sqs.receive_message(QueueUrl=queue, MessageAttributeNames=["All"])["Messages"]
    assert again["MD5OfMessageAttributes"] == sent["MD5OfMessageAttributes"]
    sqs.delete_message(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"])
    with pytest.raises(sqs.exceptions.MessageNotInflight):
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
    with pytest.raises(sqs.exceptions.ReceiptHandleIsInvalid):
        sqs.delete_message(QueueUrl=queue, ReceiptHandle="nonsense")


def test_batches_answer_for_each_entry(sqs: Any, queue: str) -> None:
    entries: list[dict[str, Any]] = [{"Id": str(number), "MessageBody": f"body {number}"} for number in range(3)]
    answer = sqs.send_message_batch(QueueUrl=queue, Entries=[*entries, {"Id": "x", "MessageBody": "\x01"}])
    assert [each["Id"] for each in answer["Successful"]] == ["0", "1", "2"]
    assert [(each["Id"], each["Code"]) for each in answer["Failed"]] == [("x", "InvalidMessageContents")]
    got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]
    assert [each["Body"] for each in got] == ["body 0", "body 1", "body 2"]
    handles = [{"Id": str(n), "ReceiptHandle": each["ReceiptHandle"]} for n, each in enumerate(got)]
    shown = [{**handle, "VisibilityTimeout": 0} for handle in handles[:1]]
    assert sqs.change_message_visibility_batch(QueueUrl=queue, Entries=shown)["Successful"] == [{"Id": "0"}]
    assert len(sqs.delete_message_batch(QueueUrl=queue, Entries=handles)["Successful"]) == 3
    sqs.send_message(QueueUrl=queue, MessageBody="purged")
    sqs.purge_queue(QueueUrl=queue)
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    with pytest.raises(sqs.exceptions.BatchEntryIdsNotDistinct):
        sqs.send_message_batch(QueueUrl=queue, Entries=[entries[0], entries[0]])
    with pytest.raises(sqs.exceptions.TooManyEntriesInBatchRequest):
        sqs.send_message_batch(QueueUrl=queue, Entries=[{"Id": str(n), "MessageBody": "b"} for n in range(11)])


def test_who_waits_is_woken_by_what_comes(sqs: Any, queue: str, platform: Platform) -> None:
    got: list[Any] = []
    began = time.monotonic()
    waits = platform.client("sqs")

    def wait() -> None:
        got.append(waits.receive_message(QueueUrl=queue, WaitTimeSeconds=20, VisibilityTimeout=1))
        got.append(waits.receive_message(QueueUrl=queue, WaitTimeSeconds=20))

    thread = threading.Thread(target=wait)
    thread.start()
    sqs.send_message(QueueUrl=queue, MessageBody="first", DelaySeconds=1)
    thread.join(15)
    assert [each["Messages"][0]["Body"] for each in got] == ["first", "first"]
    assert 2 <= time.monotonic() - began < 10
    assert "Messages" not in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)


def test_a_message_that_nobody_manages_goes_to_the_dead_letters(sqs: Any) -> None:
    dead = make(sqs)
    policy = {"deadLetterTargetArn": arn_of(sqs, dead), "maxReceiveCount": 1}
    queue = make(sqs, RedrivePolicy=json.dumps(policy), VisibilityTimeout="0")
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [queue]
    sqs.send_message(QueueUrl=queue, MessageBody="poison")
    assert sqs.receive_message(QueueUrl=queue)["Messages"][0]["Body"] == "poison"
    assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    [buried] = sqs.receive_message(QueueUrl=dead, AttributeNames=["All"])["Messages"]
    assert buried["Body"] == "poison"
    assert buried["Attributes"]["DeadLetterQueueSourceArn"] == arn_of(sqs, queue)
    sqs.set_queue_attributes(QueueUrl=dead, Attributes={"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'})
    with pytest.raises(sqs.exceptions.InvalidAttributeValue):
        make(sqs, RedrivePolicy=json.dumps(policy))
