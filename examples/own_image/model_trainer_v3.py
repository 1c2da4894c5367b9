"""Train an image of your own with `ModelTrainer`: version 3 of the SageMaker Python SDK.

pip install 'sagemaker>=3'
python model_trainer_v3.py 127.0.0.1:7373/own/line:v1
"""

import argparse
from pathlib import Path

from sagemaker.core.helper.session_helper import Session
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData

DATA = Path(__file__).parents[1] / "data" / "abalone.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", help="as it was pushed")
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    arguments = parser.parse_args()

    session = Session()
    channel = session.upload_string_as_file_body(
        DATA.read_text(), session.default_bucket(), "own-image-v3/train/abalone.csv"
    )
    trainer = ModelTrainer(
        training_image=arguments.image,
        compute=Compute(instance_type="ml.m5.large", instance_count=1),
        hyperparameters={"column": "diameter"},
        base_job_name="own-image-v3",
        role=arguments.role,
        sagemaker_session=session,
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=channel)])
    job = trainer._latest_training_job
    print(f"trained by {job.training_job_name}: {job.model_artifacts.s3_model_artifacts}")


if __name__ == "__main__":
    main()
