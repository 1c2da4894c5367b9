"""Augmented manifests, through the platform's pipes: pictures on which several things may be."""

import json

import numpy as np
import pytest

from tests.algorithms.pictures import encode, flag
from tests.algorithms.walk import metrics_of
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, put, unique

IMAGE = "382416733822.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
RECORDIO, PNG = "application/x-recordio", "application/x-image"
LEARNING = {
    "num_layers": "20",
    "image_shape": "3,24,24",
    "mini_batch_size": "8",
    "optimizer": "adam",
    "learning_rate": "0.003",
    "multi_label": "1",
    "num_classes": "3",
}


def put_manifest(platform: Platform, seed: int, count: int, *, ids: bool) -> str:
    """The URI of one whose labels are lists of classes, or else a 0 or 1 for each class."""
    prefix, random, lines = unique("flags"), np.random.default_rng(seed), []
    for number in range(count):
        picture, there = flag(random)
        uri = put(platform, f"{prefix}/{number}.ppm", encode(picture))
        label = np.flatnonzero(there).tolist() if ids else there
        lines.append(json.dumps({"source-ref": uri, "class": label, "class-metadata": {"type": "groundtruth"}}))
    return put(platform, f"{prefix}.manifest", "\n".join(lines) + "\n")


def channel(name: str, uri: str, content_type: str) -> dict[str, object]:
    source = {"S3DataType": "AugmentedManifestFile", "S3Uri": uri, "AttributeNames": ["source-ref", "class"]}
    return {
        "ChannelName": name,
        "DataSource": {"S3DataSource": source},
        "ContentType": content_type,
        "RecordWrapperType": "RecordIO",
        "InputMode": "Pipe",
    }


def train(platform: Platform, epochs: int, *channels: dict[str, object]) -> dict[str, object]:
    name = unique("flags")
    platform.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "Pipe"},
        RoleArn=ROLE,
        HyperParameters={**LEARNING, "num_training_samples": "80", "epochs": str(epochs)},
        InputDataConfig=channels,
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out/"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    return ended(platform, name, 300)


def test_classes_of_a_manifest_and_zeros_and_ones_of_another(platform: Platform) -> None:
    """One of each content type that AWS documents."""
    training = channel("train", put_manifest(platform, 0, 80, ids=True), f"{RECORDIO}; label-format=class-id")
    validation = channel("validation", put_manifest(platform, 1, 30, ids=False), PNG)
    job = train(platform, 6, training, validation)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    metrics = metrics_of(platform, str(job["TrainingJobName"]))
    assert metrics["validation:accuracy"] > 0.8  # Half of the labels are 1.


@pytest.mark.slow
def test_labels_in_the_other_form_are_refused(platform: Platform) -> None:
    job = train(platform, 1, channel("train", put_manifest(platform, 0, 8, ids=True), RECORDIO))
    assert job["TrainingJobStatus"] == "Failed"
    reason = "ClientError: The image of line 1 of the manifest of 'train' has the label 2: labels are whole numbers"
    assert str(job["FailureReason"]).startswith(reason)
    job = train(platform, 1, channel("train", put_manifest(platform, 0, 8, ids=True), f"{PNG}; label-format=list"))
    assert "The content type of 'train' has label-format=list" in str(job["FailureReason"])
