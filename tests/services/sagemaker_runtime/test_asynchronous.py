"""Asynchronous endpoints: taken at once, answered when a replica is there, whatever is killed in between."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import unique, wait_until
from tests.services.sagemaker.hosting.test_endpoints import Endpoint

SCRIPT = """
import time

def model_fn(model_dir):
    return model_dir

def input_fn(body, content_type):
    return (body.decode() if isinstance(body, bytes) else body), content_type

def predict_fn(data, model):
    text, content_type = data
    print("asked", text, flush=True)
    if text == "raise":
        raise ValueError("this cannot be predicted")
    if text.startswith("wait"):
        time.sleep(float(text.split("-")[1]))
    return f"{text} as {content_type}"

def output_fn(prediction, accept):
    return prediction, "text/x-answer"
"""
BUCKET = "asynchronous"


class Asynchronous(Endpoint):
    """An endpoint with a topic for each outcome, both of which a queue is subscribed to."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.reconnect()
        self.s3.create_bucket(Bucket=BUCKET)
        self.inbox = self.sqs.create_queue(QueueName="inbox")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns = platform.client("sns")
        topics = {}
        for outcome in ("SuccessTopic", "ErrorTopic"):
            topics[outcome] = sns.create_topic(Name=outcome)["TopicArn"]
            raw = {"RawMessageDelivery": "true"}
            sns.subscribe(TopicArn=topics[outcome], Protocol="sqs", Endpoint=arn, Attributes=raw)
        notification = {**topics, "IncludeInferenceResponseIn": ["SUCCESS_NOTIFICATION_TOPIC"]}
        output = {"S3OutputPath": f"s3://{BUCKET}/out", "S3FailurePath": f"s3://{BUCKET}/failed"}
        self.asynchronous = {
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
            "OutputConfig": {**output, "NotificationConfig": notification},
        }

    def reconnect(self) -> None:
        """After a start of the platform."""
        self.sagemaker, self.runtime = self.platform.client("sagemaker"), self.platform.client("sagemaker-runtime")
        self.s3, self.sqs = self.platform.client("s3"), self.platform.client("sqs")

    def invoke(self, text: str, **options: Any) -> dict[str, Any]:
        key = unique("in")
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=text.encode(), ContentType="text/plain")
        answer: dict[str, Any] = self.runtime.invoke_endpoint_async(
            EndpointName=self.name, InputLocation=f"s3://{BUCKET}/{key}", **options
        )
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
        return answer

    def told(self) -> dict[str, Any]:
        """The next notification."""
        [got] = self.sqs.receive_message(QueueUrl=self.inbox, WaitTimeSeconds=20)["Messages"]
        self.sqs.delete_message(QueueUrl=self.inbox, ReceiptHandle=got["ReceiptHandle"])
        told: dict[str, Any] = json.loads(got["Body"])
        return told

    def stored(self, uri: str) -> tuple[str, str]:
        """Content type and text of an object."""
        found = self.s3.get_object(Bucket=BUCKET, Key=uri.removeprefix(f"s3://{BUCKET}/"))
        return found["ContentType"], found["Body"].read().decode()

    def scale(self, count: int) -> None:
        change = {"VariantName": "AllTraffic", "DesiredInstanceCount": count}
        self.sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=self.name, DesiredWeightsAndCapacities=[change]
        )
        assert self.settled()["ProductionVariants"][0]["CurrentInstanceCount"] == count

    def has_logged(self, text: str) -> bool:
        group = f"/aws/sagemaker/Endpoints/{self.name}"
        found = self.platform.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{text}"')
        return bool(found["events"])

    def metric(self, name: str, variant: str = "") -> list[dict[str, Any]]:
        dimensions = [{"Name": "EndpointName", "Value": self.name}]
        if variant:
            dimensions.append({"Name": "VariantName", "Value": variant})
        now = datetime.now(UTC)
        found: list[dict[str, Any]] = self.platform.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=name,
            Dimensions=dimensions,
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum", "Maximum", "SampleCount"],
        )["Datapoints"]
        return found


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asynchronous]:
    platform = Platform(tmp_path_factory.mktemp("asynchronous") / "state").up()
    made = Asynchronous(platform)
    variant = ("AllTraffic", made.model("", script=SCRIPT), 1.0)
    described = made.create(made.config(variant, AsyncInferenceConfig=made.asynchronous))
    assert described["EndpointStatus"] == "InService", described.get("FailureReason")
    assert described["AsyncInferenceConfig"] == made.asynchronous
    yield made
    platform.down()


def test_an_answer_becomes_an_object_and_is_told_of(endpoint: Asynchronous) -> None:
    asked = endpoint.invoke("hello", InferenceId="mine", CustomAttributes="x=1", Accept="text/x-answer")
    told = endpoint.told()
    assert asked["InferenceId"] == "mine"
    assert asked["OutputLocation"].startswith(f"s3://{BUCKET}/out/")
    assert asked["FailureLocation"].startswith(f"s3://{BUCKET}/failed/")
    assert endpoint.stored(asked["OutputLocation"]) == ("text/x-answer", "hello as text/plain")
    assert (told["invocationStatus"], told["inferenceId"], told["eventName"]) == (
        "Completed",
        "mine",
        "InferenceResult",
    )
    assert told["responseParameters"] == {"contentType": "text/x-answer", "outputLocation": asked["OutputLocation"]}
    assert told["requestParameters"]["endpointName"] == endpoint.name
    assert base64.b64decode(told["responseBody"]["content"]) == b"hello as text/plain"


def test_a_bucket_tells_of_answers_as_of_any_object(endpoint: Asynchronous) -> None:
    url = endpoint.sqs.create_queue(QueueName="answers")["QueueUrl"]
    arn = endpoint.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    rules = [{"Name": "prefix", "Value": "out/told/"}]
    told = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*"], "Filter": {"Key": {"FilterRules": rules}}}
    endpoint.s3.put_bucket_notification_configuration(
        Bucket=BUCKET, NotificationConfiguration={"QueueConfigurations": [told]}, SkipDestinationValidation=True
    )
    asked = endpoint.invoke("hello", S3OutputPathExtension="told")
    [message] = endpoint.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    [record] = json.loads(message["Body"])["Records"]
    assert record["eventName"] == "ObjectCreated:Put"
    assert asked["OutputLocation"] == f"s3://{BUCKET}/{record['s3']['object']['key']}"
    assert endpoint.told()["inferenceId"] == asked["InferenceId"]


def test_a_call_may_bring_its_input_along_and_name_its_output(endpoint: Asynchronous) -> None:
    asked = endpoint.runtime.invoke_endpoint_async(
        EndpointName=endpoint.name, Body=b"inline", ContentType="text/a", Filename="b.txt", S3OutputPathExtension="a"
    )
    assert asked["OutputLocation"] == f"s3://{BUCKET}/out/a/b.txt"
    assert asked["FailureLocation"] == f"s3://{BUCKET}/failed/a/b-error.txt"
    assert endpoint.told()["inferenceId"] == asked["InferenceId"]
    assert endpoint.stored(asked["OutputLocation"])[1] == "inline as text/a"


def test_what_fails_is_told_and_leaves_what_the_model_said(endpoint: Asynchronous) -> None:
    asked = endpoint.invoke("raise")
    told = endpoint.told()
    assert told["invocationStatus"] == "Failed"
    assert told["failureReason"].startswith("ClientError: Received server error (500) from model.")
    assert "this cannot be predicted" in endpoint.stored(asked["FailureLocation"])[1]
    assert told["responseParameters"]["outputLocation"] == asked["FailureLocation"]
    asked = endpoint.runtime.invoke_endpoint_async(EndpointName=endpoint.name, InputLocation=f"s3://{BUCKET}/none")
    assert "cannot be read" in endpoint.told()["failureReason"]
    asked = endpoint.invoke("wait-5", InvocationTimeoutSeconds=1)
    assert "did not answer within 1 seconds" in endpoint.told()["failureReason"]
    with pytest.raises(ClientError, match="NoSuchKey"):
        endpoint.stored(asked["OutputLocation"])


def test_the_two_ways_to_invoke_are_told_apart(endpoint: Asynchronous) -> None:
    with pytest.raises(ClientError, match="InvokeEndpointAsync invokes it"):
        endpoint.ask("x")
    with pytest.raises(ClientError, match="not found"):
        endpoint.runtime.invoke_endpoint_async(EndpointName="nowhere", InputLocation="s3://a/b")
    with pytest.raises(ClientError, match="exactly one"):
        endpoint.runtime.invoke_endpoint_async(EndpointName=endpoint.name, InputLocation="s3://a/b", Body=b"x")


def test_metrics_have_the_documented_names(endpoint: Asynchronous) -> None:
    for name in ("InvocationsProcessed", "TimeInBacklog", "TotalProcessingTime", "ModelLatency", "InvocationFailures"):
        [point] = endpoint.metric(name, "AllTraffic")
        assert point["Sum"] > 0, name
    [failed] = endpoint.metric("RequestDownloadFailures", "AllTraffic")
    assert failed["Sum"] == 1
    assert endpoint.metric("ApproximateBacklogSize")
    assert endpoint.metric("Invocations", "AllTraffic") == []


def test_requests_outlive_the_platform_and_wait_for_a_replica(endpoint: Asynchronous) -> None:
    under_way = endpoint.invoke("wait-2")
    wait_until(lambda: endpoint.has_logged("asked wait-2"))
    endpoint.platform.kill()
    endpoint.platform.up()
    endpoint.reconnect()
    assert endpoint.told()["invocationStatus"] == "Completed"
    assert endpoint.stored(under_way["OutputLocation"])[1] == "wait-2 as text/plain"
    wait_until(lambda: endpoint.settled()["ProductionVariants"][0]["CurrentInstanceCount"] == 1)
    endpoint.scale(0)
    waiting = [endpoint.invoke(f"later {number}") for number in range(5)]
    wait_until(lambda: any(point["Maximum"] == 1 for point in endpoint.metric("HasBacklogWithoutCapacity")))
    endpoint.platform.kill()
    endpoint.platform.up()
    endpoint.reconnect()
    endpoint.scale(1)
    assert {endpoint.told()["inferenceId"] for _ in waiting} == {each["InferenceId"] for each in waiting}
    for number, each in enumerate(waiting):
        assert endpoint.stored(each["OutputLocation"])[1] == f"later {number} as text/plain"
    wait_until(lambda: not list((endpoint.platform.state / "answers").iterdir()))
    endpoint.delete()
