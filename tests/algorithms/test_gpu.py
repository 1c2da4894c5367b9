"""A job and an endpoint of a neural algorithm on an instance with a GPU, where this machine has one."""

import json

import pytest

from clary.engines.gpus import machine_gpus
from tests.algorithms.image_classification.test_image_classification import LEARNING, RECORDIO, make_pictures
from tests.algorithms.pictures import record
from tests.platform import Platform
from tests.programs import BUCKET, ROLE, ended, log_lines, put, unique

pytestmark = pytest.mark.skipif(not machine_gpus(), reason="this machine has no GPU of NVIDIA's")
IMAGE = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
TYPE = "ml.g4dn.xlarge"
PATIENCE = 300.0
"""Seconds: the first program on a machine to load CUDA's libraries reads gigabytes."""


def test_it_trains_and_predicts_there(platform: Platform) -> None:
    name = unique("gpu")
    pictures = make_pictures(0, 150)
    uri = put(platform, f"{name}/train.rec", b"".join(record([label], picture) for label, picture in pictures))
    sagemaker = platform.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": uri}
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=ROLE,
        InputDataConfig=[
            {"ChannelName": channel, "ContentType": RECORDIO, "DataSource": {"S3DataSource": source}}
            for channel in ("train", "validation")
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/out/"},
        ResourceConfig={"InstanceType": TYPE, "InstanceCount": 1, "VolumeSizeInGB": 10},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        HyperParameters={**LEARNING, "num_classes": "3", "num_training_samples": "150", "epochs": "6"},
    )
    job = ended(platform, name, PATIENCE)
    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert any("Using the GPU" in line for line in log_lines(platform, name))

    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"]},
        ExecutionRoleArn=ROLE,
    )
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": TYPE, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    runtime = platform.client("sagemaker-runtime")
    right = 0
    for label, picture in pictures[:12]:
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/x-image", Body=picture)
        shares = json.loads(answer["Body"].read())
        right += shares.index(max(shares)) == label
    assert right > 8
    sagemaker.delete_endpoint(EndpointName=name)
