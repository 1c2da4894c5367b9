"""Augmented manifests of sentences, through the platform's pipes."""

import json
from typing import Any

from tests.algorithms.blazingtext.test_blazingtext import sentences
from tests.algorithms.walk import metrics_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, put, unique

IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/blazingtext:1"
WRAPPED = {"RecordWrapperType": "RecordIO"}


def put_manifest(platform: Platform, seed: int, count: int) -> str:
    """The URI of one whose sentences have a label, or a list of them."""
    lines = []
    for number, line in enumerate(sentences(count, seed, labelled=True).splitlines()):
        label, _, source = line.removeprefix("__label__").partition(" ")
        lines.append(json.dumps({"source": source, "label": [label] if number % 2 else label}))
    return put(platform, f"{unique('sentences')}.manifest", "\n".join(lines) + "\n")


def train(platform: Platform, wrapper: dict[str, str], **manifests: str) -> dict[str, Any]:
    """A job whose channels are manifests."""
    name = unique("sentences")
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
        RoleArn=ROLE,
        HyperParameters={"mode": "supervised", "vector_dim": "20", "buckets": "10000", "learning_rate": "0.2"},
        InputDataConfig=[
            {
                "ChannelName": channel,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "AugmentedManifestFile",
                        "S3Uri": uri,
                        "AttributeNames": ["source", "label"],
                    }
                },
                "ContentType": "application/x-recordio",
                **wrapper,
            }
            for channel, uri in manifests.items()
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return ended(platform, name, 240)


def test_sentences_and_labels_of_a_manifest_are_learned(platform: Platform) -> None:
    manifests = {"train": put_manifest(platform, 1, 3000), "validation": put_manifest(platform, 2, 1000)}
    job = train(platform, WRAPPED, **manifests)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert metrics_of(platform, job["TrainingJobName"])["validation:accuracy"] > 0.9


def test_a_manifest_without_records_is_refused(platform: Platform) -> None:
    job = train(platform, {}, train=put_manifest(platform, 1, 10))
    assert job["TrainingJobStatus"] == "Failed"
    reason = "ClientError: The channel 'train' comes through a pipe: RecordWrapperType must be RecordIO"
    assert job["FailureReason"].startswith(reason)
