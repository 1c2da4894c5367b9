"""Score batches of rows on an asynchronous endpoint, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python score.py

A linear model is fitted on this machine and deployed with `AsyncInferenceConfig`. Batches are sent all at once while
the endpoint has no instance at all; it is then given one, and a topic tells of each answer, which a queue hands to
this program as it comes. The last batch is wrong on purpose.
"""

import argparse
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.async_inference import AsyncInferenceConfig
from sagemaker.deserializers import JSONDeserializer
from sagemaker.predictor_async import AsyncPredictor
from sagemaker.serializers import JSONSerializer
from sagemaker.sklearn import SKLearnModel

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
BATCHES = 8


def upload_model(session: sagemaker.Session, rows: np.ndarray, rings: np.ndarray) -> str:
    """Fit, and pack the coefficients as SageMaker packs models."""
    coefficients, *_ = np.linalg.lstsq(np.column_stack([rows, np.ones(len(rows))]), rings, rcond=None)
    content, packed = json.dumps(coefficients.tolist()).encode(), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo("coefficients.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    bucket, key = session.default_bucket(), "async-abalone/model.tar.gz"
    session.boto_session.client("s3").put_object(Bucket=bucket, Key=key, Body=packed.getvalue())
    return f"s3://{bucket}/{key}"


def make_inbox(session: sagemaker.Session) -> tuple[str, str]:
    """A queue's URL, and the topic that it is subscribed to."""
    sqs, sns = session.boto_session.client("sqs"), session.boto_session.client("sns")
    queue = sqs.create_queue(QueueName="async-abalone")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="async-abalone")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    return queue, topic


def scale(session: sagemaker.Session, endpoint: str, count: int) -> None:
    wait_in_service(session, endpoint)
    client = session.sagemaker_client
    change = {"VariantName": "AllTraffic", "DesiredInstanceCount": count}
    client.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=[change])
    wait_in_service(session, endpoint)


def wait_in_service(session: sagemaker.Session, endpoint: str) -> None:
    waiter = session.sagemaker_client.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=endpoint, WaiterConfig={"Delay": 1, "MaxAttempts": 600})


def outcomes(session: sagemaker.Session, queue: str, count: int) -> list[dict]:
    """What the topic tells of so many invocations, as it comes."""
    sqs, found = session.boto_session.client("sqs"), []
    while len(found) < count:
        for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20).get("Messages", []):
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            print(found[-1]["inferenceId"], found[-1]["invocationStatus"], found[-1].get("failureReason", ""))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    abalones = pd.read_csv(arguments.data, names=COLUMNS).drop(columns="sex")
    rows, rings = abalones.drop(columns="rings").to_numpy(), abalones["rings"].to_numpy()
    queue, topic = make_inbox(session)

    model = SKLearnModel(
        model_data=upload_model(session, rows, rings),
        entry_point="inference.py",
        source_dir=str(HERE / "source"),
        framework_version="1.2-1",
        role=arguments.role,
        sagemaker_session=session,
    )
    predictor: AsyncPredictor = model.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        serializer=JSONSerializer(),
        deserializer=JSONDeserializer(),
        async_inference_config=AsyncInferenceConfig(
            max_concurrent_invocations_per_instance=4,
            notification_config={"SuccessTopic": topic, "ErrorTopic": topic},
        ),
        wait=False,
    )
    scale(session, predictor.endpoint_name, 0)

    batches = np.array_split(rows, BATCHES)
    waiting = [
        predictor.predict_async(batch.tolist(), inference_id=f"batch-{number}") for number, batch in enumerate(batches)
    ]
    predictor.predict_async([["no number"]], inference_id="wrong")
    print(f"{len(waiting)} batches wait for an instance")
    scale(session, predictor.endpoint_name, 1)

    told = outcomes(session, queue, BATCHES + 1)
    print(f"{sum(each['invocationStatus'] == 'Completed' for each in told)} completed")
    answers = [each.get_result() for each in waiting]
    error = float(np.sqrt(np.mean((np.concatenate(answers) - rings) ** 2)))
    print(f"root mean squared error: {error:.2f} rings")

    predictor.delete_model()
    predictor.delete_endpoint()


if __name__ == "__main__":
    main()
