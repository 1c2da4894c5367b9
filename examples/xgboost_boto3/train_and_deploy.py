"""Train the built-in XGBoost algorithm, deploy the model and predict, with boto3 alone.

    pip install boto3
    python train_and_deploy.py [--format csv|libsvm]

The training data is CSV with the label in the first column and no header, or libsvm, as the algorithm's
documentation asks for.
"""

import argparse
import csv
import math
import random
import time
from pathlib import Path

import boto3

DATA = Path(__file__).parent.parent / "data" / "abalone.csv"
# What sagemaker.image_uris.retrieve("xgboost", "us-east-1", "1.7-1") answers.
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
INSTANCE_TYPE = "ml.m5.xlarge"
HYPERPARAMETERS = {"objective": "reg:squarederror", "num_round": "60", "max_depth": "4", "eta": "0.1"}
CONTENT_TYPES = {"csv": "text/csv", "libsvm": "text/libsvm"}
SEXES = {"I": "0", "F": "1", "M": "2"}

Row = list[str]
"""The number of rings, then the eight measures."""


def load(path: Path) -> tuple[list[Row], list[Row], list[Row]]:
    """The abalones, shuffled, to train on, to validate with and to test with."""
    with path.open() as lines:
        rows = [[rings, SEXES[sex], *measures] for sex, *measures, rings in csv.reader(lines)]
    random.Random(7).shuffle(rows)
    return rows[:2900], rows[2900:3500], rows[3500:]


def encode(rows: list[Row], data_format: str, label: bool = True) -> str:
    if data_format == "csv":
        return "".join(",".join(row if label else row[1:]) + "\n" for row in rows)
    lines = []
    for rings, *measures in rows:
        features = [f"{index}:{value}" for index, value in enumerate(measures)]
        lines.append(" ".join([rings if label else "0", *features]) + "\n")
    return "".join(lines)


def make_bucket(account: str, region: str) -> str:
    """The bucket that the SageMaker SDK would use as well."""
    s3 = boto3.client("s3")
    bucket = f"sagemaker-{region}-{account}"
    if bucket not in [known["Name"] for known in s3.list_buckets()["Buckets"]]:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
    return bucket


def train(name: str, role: str, bucket: str, channels: dict[str, str], content_type: str) -> dict:
    """Run the training job and return its description; raises where it fails."""
    s3, sagemaker = boto3.client("s3"), boto3.client("sagemaker")
    for channel, text in channels.items():
        s3.put_object(Bucket=bucket, Key=f"{name}/{channel}/abalone", Body=text.encode())
    sagemaker.create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=role,
        HyperParameters=HYPERPARAMETERS,
        InputDataConfig=[
            {
                "ChannelName": channel,
                "ContentType": content_type,
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/{name}/{channel}/",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
            for channel in channels
        ],
        OutputDataConfig={"S3OutputPath": f"s3://{bucket}/models"},
        ResourceConfig={"InstanceType": INSTANCE_TYPE, "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    return sagemaker.describe_training_job(TrainingJobName=name)


def deploy(name: str, role: str, artifacts: str) -> None:
    """Model, endpoint configuration and endpoint, all of one name; returns once it is in service."""
    sagemaker = boto3.client("sagemaker")
    sagemaker.create_model(
        ModelName=name,
        PrimaryContainer={"Image": IMAGE, "ModelDataUrl": artifacts},
        ExecutionRoleArn=role,
    )
    sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": name,
                "InstanceType": INSTANCE_TYPE,
                "InitialInstanceCount": 1,
            }
        ],
    )
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
    waiter = sagemaker.get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})


def predict(name: str, body: str, content_type: str) -> list[float]:
    answer = boto3.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=name, ContentType=content_type, Body=body.encode()
    )
    return [float(rings) for rings in answer["Body"].read().decode().replace(",", "\n").split()]


def delete(name: str) -> None:
    sagemaker = boto3.client("sagemaker")
    sagemaker.delete_endpoint(EndpointName=name)
    sagemaker.delete_endpoint_config(EndpointConfigName=name)
    sagemaker.delete_model(ModelName=name)


def report(predicted: list[float], measured: list[float]) -> None:
    print("\n  abalone   predicted   measured")
    for index in range(5):
        print(f"  {index + 1:7}   {predicted[index]:9.1f}   {measured[index]:8.0f}")
    error = math.dist(predicted, measured) / math.sqrt(len(measured))
    print(f"\nRMSE over {len(measured)} abalones never seen in training: {error:.3f} rings")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--format", choices=CONTENT_TYPES, default="csv")
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()
    content_type = CONTENT_TYPES[arguments.format]

    account = boto3.client("sts").get_caller_identity()["Account"]
    role = f"arn:aws:iam::{account}:role/SageMakerRole"
    bucket = make_bucket(account, boto3.session.Session().region_name)
    name = f"xgboost-{arguments.format}-{time.strftime('%Y%m%d-%H%M%S')}"
    train_rows, validation_rows, test_rows = load(arguments.data)

    print(f"training  {name} on {len(train_rows)} abalones ...", flush=True)
    channels = {
        "train": encode(train_rows, arguments.format),
        "validation": encode(validation_rows, arguments.format),
    }
    job = train(name, role, bucket, channels, content_type)
    seconds = (job["LastModifiedTime"] - job["CreationTime"]).total_seconds()
    artifacts = job["ModelArtifacts"]["S3ModelArtifacts"]
    print(f"{job['TrainingJobStatus'].lower():9} in {seconds:.1f} s: {artifacts}")
    for metric in job.get("FinalMetricDataList", []):
        print(f"          {metric['MetricName']} = {metric['Value']:.4f}")

    print(f"deploying {name} ...", flush=True)
    deploy(name, role, artifacts)
    try:
        predicted = predict(name, encode(test_rows, arguments.format, label=False), content_type)
    finally:
        delete(name)
    report(predicted, [float(row[0]) for row in test_rows])


if __name__ == "__main__":
    main()
