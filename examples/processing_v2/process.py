"""Prepare data with processing jobs, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python process.py

`SKLearnProcessor` runs a script that splits the data; `FrameworkProcessor` runs one that comes with a directory of
sources and a requirements.txt. What they write under /opt/ml/processing goes to S3.
"""

import argparse
from pathlib import Path

import sagemaker
from sagemaker.processing import FrameworkProcessor, ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.sklearn import SKLearn, SKLearnProcessor

HERE = Path(__file__).parent


def split(session: sagemaker.Session, role: str, data: Path) -> str:
    """Returns where in S3 the rows to train on are."""
    processor = SKLearnProcessor(
        framework_version="1.2-1",
        role=role,
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="abalone-split",
        sagemaker_session=session,
    )
    processor.run(
        code=str(HERE / "source" / "prepare.py"),
        inputs=[ProcessingInput(source=str(data), destination="/opt/ml/processing/input/raw")],
        outputs=[
            ProcessingOutput(output_name=name, source=f"/opt/ml/processing/output/{name}") for name in ("train", "test")
        ],
        arguments=["--test-share", "0.2"],
    )
    job = processor.latest_job.describe()
    print("said:", job["ExitMessage"])
    return job["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]


def summarise(session: sagemaker.Session, role: str, rows: str) -> str:
    processor = FrameworkProcessor(
        estimator_cls=SKLearn,
        framework_version="1.2-1",
        role=role,
        instance_type="ml.m5.large",
        instance_count=1,
        base_job_name="abalone-summary",
        sagemaker_session=session,
    )
    processor.run(
        code="summary.py",
        source_dir=str(HERE / "source"),
        inputs=[ProcessingInput(source=rows, destination="/opt/ml/processing/input/rows")],
        outputs=[ProcessingOutput(output_name="summary", source="/opt/ml/processing/output")],
    )
    uri = processor.latest_job.describe()["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    return S3Downloader.read_file(f"{uri}/summary.md", sagemaker_session=session)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    arguments = parser.parse_args()
    session = sagemaker.Session()
    rows = split(session, arguments.role, arguments.data)
    print(summarise(session, arguments.role, rows))


if __name__ == "__main__":
    main()
