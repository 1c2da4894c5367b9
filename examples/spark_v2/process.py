"""Run a PySpark script on a cluster of two instances, with version 2 of the SageMaker Python SDK.

pip install 'sagemaker<3'
python process.py
"""

import argparse
from pathlib import Path

import sagemaker
from sagemaker.processing import ProcessingInput, ProcessingOutput
from sagemaker.s3 import S3Downloader
from sagemaker.spark.processing import PySparkProcessor

HERE = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--instances", type=int, default=2)
    arguments = parser.parse_args()
    session = sagemaker.Session()
    processor = PySparkProcessor(
        base_job_name="spark-rings",
        framework_version="3.5",
        role=arguments.role,
        instance_count=arguments.instances,
        instance_type="ml.m5.xlarge",
        sagemaker_session=session,
    )
    processor.run(
        submit_app=str(HERE / "source" / "count.py"),
        arguments=["--input", "/opt/ml/processing/input/data", "--output", "/opt/ml/processing/output"],
        inputs=[ProcessingInput(source=str(arguments.data), destination="/opt/ml/processing/input/data")],
        outputs=[ProcessingOutput(output_name="means", source="/opt/ml/processing/output")],
        configuration=[{"Classification": "spark-defaults", "Properties": {"spark.ui.enabled": "false"}}],
    )
    uri = processor.latest_job.describe()["ProcessingOutputConfig"]["Outputs"][0]["S3Output"]["S3Uri"]
    print(S3Downloader.read_file(f"{uri}/means.csv", sagemaker_session=session))


if __name__ == "__main__":
    main()
