"""What a bucket is told to tell of its objects, what it tells, and to whom."""

import itertools
import json
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from clary.control.call import Call
from clary.database import open_database
from clary.objects import buckets
from clary.objects.embedded import EmbeddedStore
from clary.objects.open import open_embedded
from clary.records.record import Scope
from clary.services.s3.api import operation
from clary.services.s3.targets import DOCUMENT
from clary.settings import Settings
from clary.wire.errors import ServiceError
from tests.platform import Platform
from tests.services.s3.helpers import refused

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def s3(platform: Platform) -> Any:
    return platform.client("s3")


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"notifying-{next(_numbers)}"
    s3.create_bucket(Bucket=name)
    return name


def queue(name: str, *events: str, **filters: str) -> dict[str, Any]:
    rules = [{"Name": rule, "Value": value} for rule, value in filters.items()]
    entry: dict[str, Any] = {"QueueArn": f"arn:aws:sqs:us-east-1:123456789012:{name}"}
    entry["Events"] = list(events or ("s3:ObjectCreated:*",))
    return entry | ({"Filter": {"Key": {"FilterRules": rules}}} if rules else {})


def put(s3: Any, bucket: str, *queues: dict[str, Any], skip: bool = True, **others: Any) -> None:
    s3.put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": list(queues), **others},
        SkipDestinationValidation=skip,
    )


def read(s3: Any, bucket: str) -> dict[str, Any]:
    answer = s3.get_bucket_notification_configuration(Bucket=bucket)
    return {member: value for member, value in answer.items() if member != "ResponseMetadata"}


def test_a_configuration_is_kept(s3: Any, bucket: str) -> None:
    topic = {"Id": "all", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Events": ["s3:ObjectRemoved:*"]}
    put(s3, bucket, queue("q", prefix="in/", suffix=".csv"), TopicConfigurations=[topic], EventBridgeConfiguration={})
    kept = read(s3, bucket)
    assert kept["TopicConfigurations"] == [topic]
    assert kept["EventBridgeConfiguration"] == {}
    [entry] = kept["QueueConfigurations"]
    assert entry.pop("Id")
    assert entry["Events"] == ["s3:ObjectCreated:*"]
    assert {rule["Name"].lower(): rule["Value"] for rule in entry["Filter"]["Key"]["FilterRules"]} == {
        "prefix": "in/",
        "suffix": ".csv",
    }
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    assert read(s3, bucket) == {}


def test_a_destination_that_is_not_there_is_refused(s3: Any, bucket: str) -> None:
    function = {
        "LambdaFunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "Events": ["s3:ObjectCreated:*"],
    }
    for queues, others in (([queue("q")], {}), ([], {"LambdaFunctionConfigurations": [function]})):
        with refused("InvalidArgument", 400) as error:
            put(s3, bucket, *queues, skip=False, **others)
        assert error["Message"].startswith("Unable to validate the following destination configurations")
    assert read(s3, bucket) == {}


def test_queues_and_topics_are_told(s3: Any, bucket: str, platform: Platform) -> None:
    sqs, sns = platform.client("sqs"), platform.client("sns")
    urls = [sqs.create_queue(QueueName=f"{bucket}-{name}")["QueueUrl"] for name in ("direct", "by-topic")]
    topic = sns.create_topic(Name=bucket)["TopicArn"]
    subscriber = queue(f"{bucket}-by-topic")["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=subscriber, Attributes={"RawMessageDelivery": "true"})
    removals = {"TopicArn": topic, "Events": ["s3:ObjectRemoved:*"]}
    put(s3, bucket, queue(f"{bucket}-direct"), skip=False, TopicConfigurations=[removals])
    s3.put_object(Bucket=bucket, Key="a/b c", Body=b"hello")
    s3.delete_object(Bucket=bucket, Key="a/b c")
    with refused("NoSuchKey", 404):
        s3.put_object_tagging(Bucket=bucket, Key="none", Tagging={"TagSet": []})
    for url, name in zip(urls, ("ObjectCreated:Put", "ObjectRemoved:Delete"), strict=True):
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        greeting, event = (json.loads(each["Body"]) for each in found)
        assert (greeting["Event"], greeting["Bucket"]) == ("s3:TestEvent", bucket)
        [record] = event["Records"]
        assert (record["eventName"], record["s3"]["object"]["key"]) == (name, "a/b+c")


def test_an_object_and_its_event_are_there_or_neither_is(own_platform: Platform) -> None:
    """However the platform ends while many put objects."""
    s3, sqs = own_platform.client("s3"), own_platform.client("sqs")
    s3.create_bucket(Bucket="killed")
    url = sqs.create_queue(QueueName="told", Attributes={"VisibilityTimeout": "600"})["QueueUrl"]
    put(s3, "killed", queue("told"))
    stored = threading.Semaphore(0)

    def put_until_killed(name: int) -> None:
        client = own_platform.client("s3")
        with suppress(BotoCoreError, ClientError):
            for number in itertools.count():
                client.put_object(Bucket="killed", Key=f"{name}/{number}", Body=b"x")
                stored.release()

    threads = [threading.Thread(target=put_until_killed, args=[name]) for name in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        assert stored.acquire(timeout=30)
    own_platform.kill()
    for thread in threads:
        thread.join()
    own_platform.up()
    s3, sqs = own_platform.client("s3"), own_platform.client("sqs")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="killed")
    keys = [found["Key"] for page in pages for found in page["Contents"]]
    told: list[str] = []
    while found := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        told += [json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] for message in found]
    assert len(keys) >= 100
    assert sorted(told) == sorted(keys)


def test_a_destination_that_is_denied_is_refused(s3: Any, bucket: str, platform: Platform) -> None:
    sqs = platform.client("sqs")
    url = sqs.create_queue(QueueName=f"{bucket}-closed")["QueueUrl"]
    statement = {
        "Effect": "Deny",
        "Principal": {"Service": "s3.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue(f"{bucket}-closed")["QueueArn"],
        "Condition": {"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{bucket}"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    with refused("InvalidArgument", 400):
        put(s3, bucket, queue(f"{bucket}-closed"), skip=False)


@pytest.mark.parametrize(
    ("queues", "message"),
    [
        ([queue("a"), queue("b")], "Configurations overlap."),
        ([queue("a", prefix="x"), queue("b", prefix="xy")], "Configurations overlap."),
        ([queue("a", "s3:ObjectCreated:Put"), queue("b", "s3:ObjectCreated:*")], "Configurations overlap."),
        ([queue("a", "s3:ObjectEaten:*")], "The event 's3:ObjectEaten:*' is not supported"),
        ([queue("a", middle="x")], "filter rule name must be either prefix or suffix"),
        ([queue("a.fifo")], "FIFO SQS queues are not supported."),
        ([queue("a") | {"QueueArn": "a"}], "The ARN is not well formed"),
        ([queue("a") | {"QueueArn": "arn:aws:sns:us-east-1:123456789012:t"}], "The ARN is not well formed"),
        ([queue("a") | {"QueueArn": "arn:aws:sqs:eu-west-1:123456789012:a"}], "The notification destination service"),
        ([queue("a", prefix="x") | {"Id": "1"}, queue("b", prefix="y") | {"Id": "1"}], "Same ID used for multiple"),
    ],
)
def test_what_is_no_configuration(s3: Any, bucket: str, queues: list[dict[str, Any]], message: str) -> None:
    with refused("InvalidArgument", 400) as error:
        put(s3, bucket, *queues)
    assert error["Message"].startswith(message)


def test_filters_that_keep_out_of_each_others_way_may_stand_together(s3: Any, bucket: str) -> None:
    put(
        s3,
        bucket,
        queue("a", prefix="x"),
        queue("b", prefix="y"),
        queue("c", "s3:ObjectRemoved:Delete", prefix="x"),
        queue("d", "s3:ObjectTagging:*", suffix=".a"),
        queue("e", "s3:ObjectTagging:*", suffix=".b"),
    )
    assert len(read(s3, bucket)["QueueConfigurations"]) == 5


class Inbox:
    """A destination that takes everything."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, dict[str, Any]]] = []

    def accepts(self, arn: str, source: str) -> bool:
        return arn.endswith(":known") and source == "arn:aws:s3:::watched"

    def deliver(self, arn: str, message: str, subject: str = "") -> None:  # noqa: ARG002
        self.taken.append((arn, json.loads(message)))


@pytest.fixture
def store(tmp_path: Path) -> Any:
    settings = Settings(state=tmp_path)
    opened = open_embedded(settings, open_database(settings.database_url))
    opened.change_bucket("watched", lambda connection: buckets.create(connection, "watched", "1" * 12, "us-east-1"))
    yield opened
    opened.close()


def caller(store: EmbeddedStore, **destinations: Inbox) -> Call:
    house: Any = SimpleNamespace(objects=store, destinations=destinations, settings=None)
    origin: Any = SimpleNamespace(value=lambda key: "10.0.0.1" if key == "aws:sourceip" else None)
    scope = Scope("1" * 12, "us-east-1")
    return Call(house, scope, f"arn:aws:iam::{scope.account}:root", "key", "request", "http://localhost", origin)


def configure(store: EmbeddedStore, configuration: dict[str, Any]) -> None:
    store.change_bucket(
        "watched", lambda connection: buckets.put_document(connection, "watched", DOCUMENT, configuration)
    )


def adopt(store: EmbeddedStore, tmp_path: Path, key: str) -> None:
    (tmp_path / "body").unlink(missing_ok=True)
    (tmp_path / "body").write_bytes(b"hello")
    store.adopt("watched", key, tmp_path / "body")


def test_a_destination_is_told_of_what_it_wants(store: EmbeddedStore, tmp_path: Path) -> None:
    queues, bus = Inbox(), Inbox()
    call = caller(store, sqs=queues, events=bus)
    configure(
        store,
        {
            "QueueConfigurations": [queue("known", "s3:ObjectCreated:Copy", prefix="in/") | {"Id": "copies"}],
            "EventBridgeConfiguration": {},
        },
    )
    adopt(store, tmp_path, "source")
    copy: Any = operation.handlers["CopyObject"]
    copy(call, {"Bucket": "watched", "Key": "out/a", "CopySource": "watched/source"})
    copy(call, {"Bucket": "watched", "Key": "in/a b", "CopySource": "watched/source"})
    [(arn, message)] = queues.taken
    assert arn == queue("known")["QueueArn"]
    [record] = message["Records"]
    assert (record["eventVersion"], record["eventName"], record["awsRegion"]) == (
        "2.1",
        "ObjectCreated:Copy",
        "us-east-1",
    )
    assert record["requestParameters"] == {"sourceIPAddress": "10.0.0.1"}
    told = record["s3"]
    assert (told["configurationId"], told["bucket"]["name"]) == ("copies", "watched")
    assert (told["object"]["key"], told["object"]["size"]) == ("in/a+b", 5)
    assert told["object"]["eTag"] == "5d41402abc4b2a76b9719d911017c592"
    first, second = (event for _, event in bus.taken)
    assert (second["detail-type"], second["source"]) == ("Object Created", "aws.s3")
    assert (second["detail"]["object"]["key"], second["detail"]["reason"]) == ("in/a b", "CopyObject")
    assert first["detail"]["object"]["sequencer"] < second["detail"]["object"]["sequencer"]


def test_deletions_are_told_apart(store: EmbeddedStore, tmp_path: Path) -> None:
    queues, bus = Inbox(), Inbox()
    call = caller(store, sqs=queues, events=bus)
    everything = queue("known", "s3:ObjectRemoved:*") | {"Id": "removals"}
    configure(store, {"QueueConfigurations": [everything], "EventBridgeConfiguration": {}})
    for key in ("a", "b", "c"):
        adopt(store, tmp_path, key)
    delete: Any = operation.handlers["DeleteObject"]
    delete_all: Any = operation.handlers["DeleteObjects"]
    delete(call, {"Bucket": "watched", "Key": "a"})
    delete_all(call, {"Bucket": "watched", "Delete": {"Objects": [{"Key": "b"}], "Quiet": True}})
    store.change_bucket("watched", lambda connection: buckets.set_versioning(connection, "watched", "Enabled"))
    marker = delete(call, {"Bucket": "watched", "Key": "c"})
    names = [message["Records"][0]["eventName"] for _, message in queues.taken]
    assert names == ["ObjectRemoved:Delete", "ObjectRemoved:Delete", "ObjectRemoved:DeleteMarkerCreated"]
    assert [event["detail"]["deletion-type"] for _, event in bus.taken] == [
        "Permanently Deleted",
        "Permanently Deleted",
        "Delete Marker Created",
    ]
    assert queues.taken[-1][1]["Records"][0]["s3"]["object"]["versionId"] == marker["VersionId"]


def test_a_destination_that_fails_is_not_the_callers_error(store: EmbeddedStore, tmp_path: Path) -> None:
    class Broken(Inbox):
        def deliver(self, arn: str, message: str, subject: str = "") -> None:
            raise OSError(f"{arn} is full: {subject} {message}")

    adopt(store, tmp_path, "source")
    configure(store, {"EventBridgeConfiguration": {}})
    copy: Any = operation.handlers["CopyObject"]
    copy(caller(store, events=Broken()), {"Bucket": "watched", "Key": "copy", "CopySource": "watched/source"})
    assert store.read("watched", "copy") == b"hello"


def test_a_destination_says_whether_it_takes_them(store: EmbeddedStore) -> None:
    put_configuration: Any = operation.handlers["PutBucketNotificationConfiguration"]
    call = caller(store, sqs=Inbox())
    wanted = {"QueueConfigurations": [queue("known")]}
    put_configuration(call, {"Bucket": "watched", "NotificationConfiguration": wanted})
    assert store.documents.of("watched", DOCUMENT)["QueueConfigurations"][0]["Events"] == ["s3:ObjectCreated:*"]
    unknown = {"QueueConfigurations": [queue("unknown")]}
    with pytest.raises(ServiceError, match="Unable to validate"):
        put_configuration(call, {"Bucket": "watched", "NotificationConfiguration": unknown})
