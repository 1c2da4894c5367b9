"""Find training jobs by what they were told and by what came of them, and follow the best one's model back to its data.

    pip install boto3
    python find_jobs.py

Four jobs train the built-in XGBoost algorithm on the abalones with other depths. Search finds them by tag, by
hyperparameter, by their input and by metric; QueryLineage tells from which data the best model came.
"""

import argparse
import csv
import time
import uuid
from pathlib import Path
from typing import Any

import boto3

DATA = Path(__file__).parent.parent / "data" / "abalone.csv"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:1.7-1"
SEXES = {"I": "0", "F": "1", "M": "2"}
METRIC = "validation:rmse"


def upload(path: Path, study: str) -> str:
    """Store the abalones, rings first, to train on and to validate with; returns the prefix."""
    account, region = boto3.client("sts").get_caller_identity()["Account"], boto3.session.Session().region_name
    s3, bucket = boto3.client("s3"), f"sagemaker-{region}-{account}"
    if bucket not in [known["Name"] for known in s3.list_buckets()["Buckets"]]:
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **place)
    with path.open() as lines:
        rows = [",".join([rings, SEXES[sex], *measures]) for sex, *measures, rings in csv.reader(lines)]
    for channel, part in (("train", rows[:3000]), ("validation", rows[3000:])):
        s3.put_object(Bucket=bucket, Key=f"{study}/{channel}/abalone.csv", Body="\n".join(part).encode())
    return f"s3://{bucket}/{study}"


def train(study: str, depth: int, prefix: str, role: str) -> str:
    name = f"{study}-depth-{depth}"
    sources = {
        channel: {"S3DataType": "S3Prefix", "S3Uri": f"{prefix}/{channel}/"} for channel in ("train", "validation")
    }
    boto3.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        RoleArn=role,
        HyperParameters={"objective": "reg:squarederror", "num_round": "30", "max_depth": str(depth)},
        InputDataConfig=[
            {"ChannelName": channel, "ContentType": "text/csv", "DataSource": {"S3DataSource": source}}
            for channel, source in sources.items()
        ],
        OutputDataConfig={"S3OutputPath": f"{prefix}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 600},
        Tags=[{"Key": "study", "Value": study}],
    )
    return name


def search(*filters: tuple[str, str, str], sort_by: str = "CreationTime") -> list[dict[str, Any]]:
    """The training jobs for which all filters hold: name, operator and value."""
    expression = {"Filters": [dict(zip(("Name", "Operator", "Value"), each, strict=True)) for each in filters]}
    found = boto3.client("sagemaker").search(
        Resource="TrainingJob", SearchExpression=expression, SortBy=sort_by, SortOrder="Ascending"
    )
    return [result["TrainingJob"] for result in found["Results"]]


def data_of(model: str) -> list[str]:
    """The URIs of the data that a model was made of. Lineage is drawn moments after the end of a job."""
    sagemaker = boto3.client("sagemaker")
    while not (found := sagemaker.list_artifacts(SourceUri=model)["ArtifactSummaries"]):
        time.sleep(0.2)
    walk = sagemaker.query_lineage(
        StartArns=[found[0]["ArtifactArn"]], Direction="Ascendants", Filters={"Types": ["DataSet"]}
    )
    artifacts = [sagemaker.describe_artifact(ArtifactArn=vertex["Arn"]) for vertex in walk["Vertices"]]
    return sorted(artifact["Source"]["SourceUri"] for artifact in artifacts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--data", type=Path, default=DATA)
    arguments = parser.parse_args()

    study = f"study-{uuid.uuid4().hex[:8]}"
    prefix = upload(arguments.data, study)
    waiter = boto3.client("sagemaker").get_waiter("training_job_completed_or_stopped")
    for name in [train(study, depth, prefix, arguments.role) for depth in (2, 3, 6, 9)]:
        waiter.wait(TrainingJobName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 600})

    ours = ("Tags.study", "Equals", study)
    flat = search(ours, ("HyperParameters.max_depth", "LessThan", "6"))
    print("flat:", *(job["HyperParameters"]["max_depth"] for job in flat))
    fed = search(("InputDataConfig.DataSource.S3DataSource.S3Uri", "Contains", f"{study}/train"))
    print("of this data:", len(fed))
    ranked = search(ours, sort_by=f"Metrics.{METRIC}")
    for job in ranked:
        metrics = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
        print(f"depth {job['HyperParameters']['max_depth']}: {metrics[METRIC]:.3f} rings")
    print("made of:", *data_of(ranked[0]["ModelArtifacts"]["S3ModelArtifacts"]))


if __name__ == "__main__":
    main()
