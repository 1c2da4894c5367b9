"""Topics and their subscribers, as boto3 and an HTTP server see them."""

import itertools
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform

from .endpoint import Endpoint

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def sns(platform: Platform) -> Any:
    return platform.client("sns")


@pytest.fixture(scope="module")
def sqs(platform: Platform) -> Any:
    return platform.client("sqs")


@pytest.fixture
def topic(sns: Any) -> str:
    arn: str = sns.create_topic(Name=f"topic-{next(_numbers)}")["TopicArn"]
    return arn


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    opened = Endpoint()
    yield opened
    opened.close()


def make_queue(sqs: Any) -> tuple[str, str]:
    """URL and ARN."""
    url = sqs.create_queue(QueueName=f"subscriber-{next(_numbers)}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return found


def confirm(endpoint: Endpoint) -> dict[str, Any]:
    headers, message = endpoint.next()
    assert headers["x-amz-sns-message-type"] == message["Type"] == "SubscriptionConfirmation"
    urllib.request.urlopen(message["SubscribeURL"]).close()
    return message


def test_topics_are_made_described_tagged_and_deleted(sns: Any) -> None:
    made = sns.create_topic(Name="described", Attributes={"DisplayName": "D"}, Tags=[{"Key": "a", "Value": "b"}])
    arn = made["TopicArn"]
    assert arn == "arn:aws:sns:us-east-1:123456789012:described"
    assert sns.create_topic(Name="described")["TopicArn"] == arn
    assert {"TopicArn": arn} in sns.list_topics()["Topics"]
    sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="E")
    attributes = sns.get_topic_attributes(TopicArn=arn)["Attributes"]
    assert (attributes["DisplayName"], attributes["SubscriptionsConfirmed"]) == ("E", "0")
    assert json.loads(attributes["Policy"])["Statement"][0]["Resource"] == arn
    sns.tag_resource(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    sns.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]
    sns.delete_topic(TopicArn=arn)
    sns.delete_topic(TopicArn=arn)
    with pytest.raises(sns.exceptions.NotFoundException):
        sns.publish(TopicArn=arn, Message="m")


def test_queues_get_what_they_are_subscribed_for(sns: Any, sqs: Any, topic: str) -> None:
    (plain, plain_arn), (raw, raw_arn) = make_queue(sqs), make_queue(sqs)
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"]
    assert sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=plain_arn)["SubscriptionArn"] == subscribed
    only_alarms = {"RawMessageDelivery": "true", "FilterPolicy": json.dumps({"kind": ["alarm"]})}
    filtered = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=raw_arn, Attributes=only_alarms)
    kind = {"kind": {"DataType": "String", "StringValue": "alarm"}}
    message = sns.publish(TopicArn=topic, Message="hot", Subject="It is", MessageAttributes=kind)["MessageId"]
    texts = json.dumps({"default": "d", "sqs": "for queues"})
    sns.publish(TopicArn=topic, Message=texts, MessageStructure="json")
    first, second = (json.loads(each["Body"]) for each in received(sqs, plain))
    assert (first["Type"], first["MessageId"], first["TopicArn"]) == ("Notification", message, topic)
    assert (first["Message"], first["Subject"]) == ("hot", "It is")
    assert first["MessageAttributes"] == {"kind": {"Type": "String", "Value": "alarm"}}
    assert second["Message"] == "for queues"
    [alarm] = received(sqs, raw)
    assert (alarm["Body"], alarm["MessageAttributes"]) == ("hot", kind)
    attributes = sns.get_subscription_attributes(SubscriptionArn=filtered["SubscriptionArn"])["Attributes"]
    assert (attributes["RawMessageDelivery"], attributes["PendingConfirmation"]) == ("true", "false")
    listed = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert {each["Endpoint"] for each in listed} == {plain_arn, raw_arn}
    sns.set_subscription_attributes(
        SubscriptionArn=filtered["SubscriptionArn"], AttributeName="FilterPolicy", AttributeValue="{}"
    )
    sns.unsubscribe(SubscriptionArn=subscribed)
    entries = [{"Id": "1", "Message": "one"}, {"Id": "2", "Message": ""}]
    answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
    assert ([each["Id"] for each in answer["Successful"]], answer["Failed"][0]["Id"]) == (["1"], "2")
    assert ([each["Body"] for each in received(sqs, raw)], received(sqs, plain)) == (["one"], [])


def test_an_endpoint_is_asked_and_then_told(sns: Any, topic: str, endpoint: Endpoint) -> None:
    policy = {"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 2}}
    attributes = {"DeliveryPolicy": json.dumps(policy)}
    asked = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
    assert asked["SubscriptionArn"] == "pending confirmation"
    sns.publish(TopicArn=topic, Message="too early")
    [pending] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert pending["SubscriptionArn"] == "PendingConfirmation"
    confirm(endpoint)
    [confirmed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    endpoint.statuses = [500]
    message = sns.publish(TopicArn=topic, Message="hello")["MessageId"]
    for _ in range(2):
        headers, told = endpoint.next()
        assert (told["Message"], told["MessageId"]) == ("hello", message)
        assert headers["x-amz-sns-message-id"] == message
        assert headers["x-amz-sns-subscription-arn"] == confirmed["SubscriptionArn"]
    urllib.request.urlopen(told["UnsubscribeURL"]).close()
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []


def test_a_role_subscribes_no_endpoint(platform: Platform, topic: str, endpoint: Endpoint) -> None:
    role = "arn:aws:iam::123456789012:role/Trainer"
    given = platform.client("sts").assume_role(RoleArn=role, RoleSessionName="job")["Credentials"]
    client = boto3.client(
        "sns",
        region_name="us-east-1",
        endpoint_url=platform.url,
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    client.publish(TopicArn=topic, Message="anybody may")
    with pytest.raises(client.exceptions.AuthorizationErrorException):
        client.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url)


def test_what_no_endpoint_takes_goes_to_the_dead_letters(sns: Any, sqs: Any, topic: str, endpoint: Endpoint) -> None:
    dead, arn = make_queue(sqs)
    attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn}), "RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
    token = confirm(endpoint)["Token"]
    assert sns.confirm_subscription(TopicArn=topic, Token=token)["SubscriptionArn"].startswith(topic)
    endpoint.statuses = [404]
    sns.publish(TopicArn=topic, Message="unwanted")
    [buried] = sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=20)["Messages"]
    assert buried["Body"] == "unwanted"


def test_an_alarm_tells_a_topic(sns: Any, sqs: Any, topic: str, platform: Platform) -> None:
    url, arn = make_queue(sqs)
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloudwatch = platform.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="telling",
        Namespace="test",
        MetricName="m",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[topic],
    )
    cloudwatch.set_alarm_state(AlarmName="telling", StateValue="ALARM", StateReason="for the test")
    [got] = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    told = json.loads(got["Body"])
    assert told["Subject"] == 'ALARM: "telling" in us-east-1'
    assert json.loads(told["Message"])["NewStateReason"] == "for the test"


def test_a_delivery_outlives_the_platform(own_platform: Platform) -> None:
    sns = own_platform.client("sns")
    topic = sns.create_topic(Name="durable")["TopicArn"]
    policy = {"healthyRetryPolicy": {"minDelayTarget": 1, "maxDelayTarget": 1, "numRetries": 100}}
    endpoint = Endpoint()
    attributes = {"DeliveryPolicy": json.dumps(policy)}
    sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=endpoint.url, Attributes=attributes)
    confirm(endpoint)
    endpoint.close()
    sns.publish(TopicArn=topic, Message="while nobody is there")
    own_platform.kill()
    endpoint = Endpoint(endpoint.port)
    own_platform.up()
    assert endpoint.next()[1]["Message"] == "while nobody is there"
    endpoint.close()


@pytest.mark.parametrize(
    ("protocol", "where", "message"),
    [
        ("email", "a@example.org", "The protocol 'email' is not built"),
        ("lambda", "arn:aws:lambda:us-east-1:123456789012:function:f", "The protocol 'lambda' is not built"),
        ("https", "http://example.org", "must match the specified protocol"),
        ("sqs", "arn:aws:sqs:us-east-1:123456789012:none", "there is no queue"),
    ],
)
def test_subscribers_that_nobody_reaches_are_refused(
    sns: Any, topic: str, protocol: str, where: str, message: str
) -> None:
    with pytest.raises(ClientError, match=message) as refused:
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=where)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"
