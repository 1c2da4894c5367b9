"""k-means through the SDK's own class, on two instances that read pipes; its quality beside scikit-learn's."""

from pathlib import Path

import numpy as np
import pytest
from botocore.exceptions import WaiterError

from tests.algorithms.walk import metrics_of, reference, walk
from tests.platform import Platform

REFERENCE = """
import sys, numpy
from sklearn.cluster import KMeans
print(KMeans(6, n_init=10, random_state=0).fit(numpy.load(sys.argv[1])).inertia_)
"""

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """Clusters that overlap, far from zero."""
    random = np.random.default_rng(3)
    centers = random.normal(100, 4, (6, 8))
    drawn = np.concatenate([random.normal(center, 1.5, (300, 8)) for center in centers]).astype(np.float32)
    return drawn[random.permutation(len(drawn))]


def test_it_trains_deploys_and_predicts(platform: Platform, tmp_path: Path, rows: np.ndarray) -> None:
    np.save(tmp_path / "rows.npy", rows)
    found = walk(platform, "kmeans", tmp_path / "rows.npy")

    inertia = float((np.array(found["distance_to_cluster"], dtype=np.float64) ** 2).sum())
    assert inertia <= 1.02 * reference("kmeans:1", REFERENCE, tmp_path / "rows.npy")
    assert set(found["closest_cluster"]) == {0, 1, 2, 3, 4, 5}
    first = {name: found[name][0] for name in ("closest_cluster", "distance_to_cluster")}
    assert list(found["json"]["predictions"][0]) == list(first)
    assert found["json"]["predictions"][0] == pytest.approx(first)
    assert found["jsonlines"] == found["json"]["predictions"]
    assert [float(value) for value in found["csv"][0]] == pytest.approx(list(first.values()))
    metrics = metrics_of(platform, found["job"])
    assert metrics["test:ssd"] == pytest.approx(inertia, rel=1e-3)
    assert metrics["test:msd"] == pytest.approx(inertia / len(rows), rel=1e-3)
    assert metrics["train:msd"] == pytest.approx(metrics["test:msd"], rel=0.1)
    assert metrics["train:progress"] == 100


def test_a_mistake_of_the_users_is_told_as_such(platform: Platform) -> None:
    s3, sagemaker = platform.client("s3"), platform.client("sagemaker")
    s3.create_bucket(Bucket="kmeans-mistakes")
    s3.put_object(Bucket="kmeans-mistakes", Key="rows", Body=b"1,2\n")
    sagemaker.create_training_job(
        TrainingJobName="kmeans-without-k",
        AlgorithmSpecification={
            "TrainingImage": "382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
            "TrainingInputMode": "File",
        },
        RoleArn="arn:aws:iam::123456789012:role/SageMakerRole",
        HyperParameters={"feature_dim": "2"},
        InputDataConfig=[
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://kmeans-mistakes/rows"}},
            }
        ],
        OutputDataConfig={"S3OutputPath": "s3://kmeans-mistakes/output"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        StoppingCondition={"MaxRuntimeInSeconds": 120},
    )
    waiter = sagemaker.get_waiter("training_job_completed_or_stopped")
    with pytest.raises(WaiterError):
        waiter.wait(TrainingJobName="kmeans-without-k", WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert sagemaker.describe_training_job(TrainingJobName="kmeans-without-k")["FailureReason"] == (
        "ClientError: No value(s) were specified for 'k' which are required hyperparameter(s) "
        "(caused by ValidationError), exit code: 2"
    )
