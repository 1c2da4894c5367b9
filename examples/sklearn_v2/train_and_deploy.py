"""Train a scikit-learn model, deploy it and predict, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python train_and_deploy.py

Two jobs train the same script: one is waited for, its log shown as it is printed; the other is started, left
and attached to again by name. The second one's model is deployed and asked in the three formats that the
scikit-learn container speaks.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import CSVDeserializer, JSONDeserializer, NumpyDeserializer
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer, JSONSerializer, NumpySerializer
from sagemaker.sklearn import SKLearn

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
SEXES = {"I": 0, "F": 1, "M": 2}


def load(path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The abalones as numbers, four fifths to train on and one fifth to test with."""
    abalones = pd.read_csv(path, names=COLUMNS)
    abalones["sex"] = abalones["sex"].map(SEXES)
    train = abalones.sample(frac=0.8, random_state=7)
    return train, abalones.drop(train.index)


def upload(session: sagemaker.Session, train: pd.DataFrame) -> str:
    key_prefix = "sklearn-abalone/train"
    session.upload_string_as_file_body(train.to_csv(index=False), session.default_bucket(), f"{key_prefix}/train.csv")
    return f"s3://{session.default_bucket()}/{key_prefix}"


def estimator(session: sagemaker.Session, role: str) -> SKLearn:
    return SKLearn(
        entry_point="abalone.py",
        source_dir=str(HERE / "source"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        hyperparameters={"n-estimators": 40, "min-samples-leaf": 3},
        base_job_name="sklearn-abalone",
        sagemaker_session=session,
    )


def predict_in_every_format(predictor: Predictor, rows: np.ndarray) -> dict[str, np.ndarray]:
    formats = {
        "CSV": (CSVSerializer(), CSVDeserializer()),
        "JSON": (JSONSerializer(), JSONDeserializer()),
        "NPY": (NumpySerializer(), NumpyDeserializer()),
    }
    answers = {}
    for name, (predictor.serializer, predictor.deserializer) in formats.items():
        answers[name] = np.asarray(predictor.predict(rows), dtype=float).ravel()
    return answers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    train, test = load(arguments.data)
    inputs = {"train": upload(session, train)}

    waited = estimator(session, arguments.role)
    waited.fit(inputs, wait=True, logs="All")

    left = estimator(session, arguments.role)
    left.fit(inputs, wait=False)
    attached = SKLearn.attach(left.latest_training_job.name, sagemaker_session=session)
    print(f"attached to {attached.latest_training_job.name}: {attached.model_data}")

    predictor = attached.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    print(f"deployed to {predictor.endpoint_name}")
    try:
        answers = predict_in_every_format(predictor, test.drop(columns="rings").to_numpy())
    finally:
        predictor.delete_model()
        predictor.delete_endpoint()
    for name, rings in answers.items():
        error = float(np.sqrt(np.mean((rings - test["rings"].to_numpy()) ** 2)))
        print(f"{name:4} {len(rings)} predictions, RMSE {error:.3f} rings")


if __name__ == "__main__":
    main()
