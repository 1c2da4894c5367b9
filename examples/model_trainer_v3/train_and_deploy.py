"""Train with `ModelTrainer`, deploy with `ModelBuilder` and predict: version 3 of the SageMaker Python SDK.

pip install 'sagemaker>=3'
python train_and_deploy.py
"""

import argparse
import csv
import io
import math
import random
from pathlib import Path

from sagemaker.core import image_uris
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.resources import Endpoint, EndpointConfig, TrainingJob
from sagemaker.serve import ModelBuilder
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, InputData, SourceCode

HERE = Path(__file__).parent
SOURCE = str(HERE / "source")
INSTANCE_TYPE = "ml.m5.large"
SEXES = {"I": "0", "F": "1", "M": "2"}


def load(path: Path) -> tuple[list[list[str]], list[list[str]]]:
    """The abalones as rows of numbers, four fifths to train on and the rest to test with; rings come last."""
    with path.open() as lines:
        rows = [[SEXES[sex], *numbers] for sex, *numbers in csv.reader(lines)]
    random.Random(7).shuffle(rows)
    boundary = len(rows) * 4 // 5
    return rows[:boundary], rows[boundary:]


def to_csv(rows: list[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def train(session: Session, role: str, image: str, rows: list[list[str]]) -> TrainingJob:
    channel = session.upload_string_as_file_body(
        to_csv(rows), session.default_bucket(), "model-trainer-abalone/train/train.csv"
    )
    trainer = ModelTrainer(
        training_image=image,
        source_code=SourceCode(source_dir=SOURCE, entry_script="train.py"),
        compute=Compute(instance_type=INSTANCE_TYPE, instance_count=1),
        hyperparameters={"learning-rate": 0.1, "max-iter": 60},
        base_job_name="model-trainer-abalone",
        role=role,
        sagemaker_session=session,
    )
    trainer.train(input_data_config=[InputData(channel_name="train", data_source=channel)])
    return trainer._latest_training_job


def predict(endpoint: Endpoint, rows: list[list[str]]) -> list[float]:
    answer = endpoint.invoke(body=to_csv(rows), content_type="text/csv", accept="text/csv")
    return [float(rings) for rings in answer.body.read().decode().replace(",", "\n").split()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = Session()
    image = image_uris.retrieve("sklearn", session.boto_region_name, version="1.2-1", instance_type=INSTANCE_TYPE)
    train_rows, test_rows = load(arguments.data)
    job = train(session, arguments.role, image, train_rows)
    print(f"trained by {job.training_job_name}: {job.model_artifacts.s3_model_artifacts}")

    builder = ModelBuilder(
        s3_model_data_url=job.model_artifacts.s3_model_artifacts,
        image_uri=image,
        source_code=SourceCode(source_dir=SOURCE, entry_script="inference.py"),
        role_arn=job.role_arn,
        sagemaker_session=session,
    )
    model = builder.build()
    endpoint = builder.deploy(instance_type=INSTANCE_TYPE, initial_instance_count=1)
    print(f"deployed to {endpoint.endpoint_name}")
    try:
        predicted = predict(endpoint, [row[:-1] for row in test_rows])
    finally:
        endpoint.delete()
        EndpointConfig.get(endpoint.endpoint_config_name).delete()
        model.delete()
    measured = [float(row[-1]) for row in test_rows]
    error = math.dist(predicted, measured) / math.sqrt(len(measured))
    print(f"{len(predicted)} predictions, RMSE {error:.3f} rings")


if __name__ == "__main__":
    main()
