"""Train on spot instances that may be taken away, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python train.py

While it runs, `clary interrupt <job>` takes its instances away, as AWS does when it needs them itself. The job starts
again, finds its checkpoint, and goes on from there.
"""

import argparse
from pathlib import Path

import sagemaker
from sagemaker.sklearn import SKLearn

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--epochs", type=int, default=8)
    arguments = parser.parse_args()
    session = sagemaker.Session()
    name = sagemaker.utils.name_from_base("spot-counting")
    estimator = SKLearn(
        entry_point="count.py",
        source_dir=str(HERE / "source"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=arguments.role,
        hyperparameters={"epochs": arguments.epochs},
        use_spot_instances=True,
        max_run=600,
        max_wait=900,
        checkpoint_s3_uri=f"s3://{session.default_bucket()}/spot-counting/{name}/checkpoints",
        sagemaker_session=session,
    )
    estimator.fit(job_name=name)
    job = estimator.latest_training_job.describe()
    print("statuses:", ", ".join(each["Status"] for each in job["SecondaryStatusTransitions"]))
    print("model:", estimator.model_data)


if __name__ == "__main__":
    main()
