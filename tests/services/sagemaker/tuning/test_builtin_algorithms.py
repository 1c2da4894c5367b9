"""Built-in algorithms are tuned by the metrics that AWS defines for them."""

from typing import Any

import numpy as np
import pytest
from botocore.exceptions import ClientError

from tests.platform import Platform
from tests.programs import BUCKET, ROLE, put, unique, wait_until

REGISTRY = "382416733822.dkr.ecr.us-east-1.amazonaws.com"


def definition(platform: Platform, algorithm: str, content_type: str, static: dict[str, str], **data: str) -> Any:
    """`data` is what each channel holds."""
    channels = [
        {
            "ChannelName": name,
            "ContentType": content_type,
            "DataSource": {
                "S3DataSource": {
                    "S3DataType": "S3Prefix",
                    "S3Uri": put(platform, f"{unique(algorithm)}/{name}.csv", content),
                }
            },
        }
        for name, content in data.items()
    ]
    return {
        "AlgorithmSpecification": {"TrainingImage": f"{REGISTRY}/{algorithm}:1", "TrainingInputMode": "File"},
        "StaticHyperParameters": static,
        "InputDataConfig": channels,
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    }


def tune(platform: Platform, trial: Any, metric: str, direction: str, name: str, values: list[str]) -> dict[str, Any]:
    """What is described of a grid over one hyperparameter."""
    sagemaker, job = platform.client("sagemaker"), unique("tune")
    config = {
        "Strategy": "Grid",
        "ResourceLimits": {"MaxParallelTrainingJobs": 2},
        "HyperParameterTuningJobObjective": {"Type": direction, "MetricName": metric},
        "ParameterRanges": {"CategoricalParameterRanges": [{"Name": name, "Values": values}]},
    }
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job, HyperParameterTuningJobConfig=config, TrainingJobDefinition=trial
    )
    status = "HyperParameterTuningJobStatus"
    wait_until(
        lambda: sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)[status] != "InProgress"
    )
    found: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=job)
    return found


def rows_of(table: np.ndarray) -> str:
    return "".join(f"{','.join(f'{value:.4f}' for value in row)}\n" for row in table)


def test_k_means_by_its_distances(platform: Platform) -> None:
    random = np.random.default_rng(2)
    table = rows_of(np.concatenate([random.normal(10 * place, 1, (50, 2)) for place in range(4)]))
    trial = definition(platform, "kmeans", "text/csv;label_size=0", {"feature_dim": "2"}, train=table, test=table)
    job = tune(platform, trial, "test:msd", "Minimize", "k", ["2", "4"])
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"k": "4"}
    objective = best["FinalHyperParameterTuningJobObjectiveMetric"]
    assert objective["MetricName"] == "test:msd"
    assert 1 < objective["Value"] < 3
    told = job["TrainingJobDefinition"]["AlgorithmSpecification"]["MetricDefinitions"]
    regex = r"#quality_metric: host=\S+, test msd <loss>=(\S+)"
    assert {"Name": "test:msd", "Regex": regex} in told
    assert told[-1] == {"Name": "ObjectiveMetric", "Regex": regex}
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=best["TrainingJobName"])
    final = {each["MetricName"]: each["Value"] for each in described["FinalMetricDataList"]}
    assert final["test:msd"] == objective["Value"]
    assert final["train:progress"] == 100
    assert {"train:msd", "train:throughput"} <= final.keys() <= {each["Name"] for each in told}


@pytest.mark.slow
def test_ip_insights_by_its_area_under_the_curve(platform: Platform) -> None:
    random = np.random.default_rng(2)
    events = "".join(f"user_{user},10.{user}.0.{random.integers(255)}\n" for user in range(40) for _ in range(50))
    static = {"num_entity_vectors": "400", "vector_dim": "16", "mini_batch_size": "200", "epochs": "5"}
    trial = definition(platform, "ipinsights", "text/csv", static, train=events, validation=events)
    job = tune(platform, trial, "validation:discriminator_auc", "Maximize", "learning_rate", ["0.000001", "0.05"])
    best = job["BestTrainingJob"]
    assert best["TunedHyperParameters"] == {"learning_rate": "0.05"}
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] > 0.9
    described = platform.client("sagemaker").describe_training_job(TrainingJobName=best["TrainingJobName"])
    final = {each["MetricName"] for each in described["FinalMetricDataList"]}
    assert {each["Name"] for each in described["AlgorithmSpecification"]["MetricDefinitions"]} == final


def test_its_metrics_are_its_own(platform: Platform) -> None:
    trial = definition(platform, "kmeans", "text/csv;label_size=0", {"feature_dim": "2"}, train="1,2\n")
    with pytest.raises(ClientError, match=r"\[validation:msd\], isn't valid for the \[\S+/kmeans:1\] algorithm"):
        tune(platform, trial, "validation:msd", "Minimize", "k", ["2"])
    trial["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "mine", "Regex": "(.)"}]
    with pytest.raises(ClientError, match="You can't override the metric definitions for Amazon SageMaker algorithms"):
        tune(platform, trial, "mine", "Minimize", "k", ["2"])
