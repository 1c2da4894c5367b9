"""A scikit-learn preprocessor before an XGBoost model, in one endpoint, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python train_and_deploy.py

The preprocessor is trained, then prepares the training data in a batch transform job; XGBoost is trained on what it
made. Both are deployed as one pipeline, which is asked with abalones as they were written down.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer
from sagemaker.sklearn import SKLearn

HERE = Path(__file__).parent
NAME = "pipeline-abalone"
MACHINE = {"instance_count": 1, "instance_type": "ml.m5.large"}


def train_featurizer(session: sagemaker.Session, role: str, train: str) -> SKLearn:
    featurizer = SKLearn(
        entry_point="featurizer.py",
        source_dir=str(HERE / "source"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        base_job_name=f"{NAME}-featurizer",
        sagemaker_session=session,
    )
    featurizer.fit({"train": train}, logs="None")
    return featurizer


def featurize(featurizer: SKLearn, train: str) -> str:
    transformer = featurizer.transformer(**MACHINE, assemble_with="Line", accept="text/csv")
    transformer.transform(train, content_type="text/csv", split_type="Line", logs=False)
    return transformer.output_path


def train_xgboost(session: sagemaker.Session, role: str, features: str) -> Estimator:
    xgboost = Estimator(
        image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
        role=role,
        **MACHINE,
        hyperparameters={"objective": "reg:squarederror", "num_round": 60, "eta": 0.1, "max_depth": 4},
        base_job_name=f"{NAME}-xgboost",
        sagemaker_session=session,
    )
    xgboost.fit({"train": TrainingInput(features, content_type="text/csv")}, logs="None")
    return xgboost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    abalones = pd.read_csv(arguments.data, header=None)
    train = abalones.sample(frac=0.8, random_state=7)
    test = abalones.drop(train.index)
    where = session.upload_string_as_file_body(
        train.to_csv(index=False, header=False), session.default_bucket(), f"{NAME}/train/train.csv"
    )

    featurizer = train_featurizer(session, arguments.role, where)
    xgboost = train_xgboost(session, arguments.role, featurize(featurizer, where))

    # What one container answers is what the next is asked: XGBoost reads CSV.
    before = featurizer.create_model(env={"SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT": "text/csv"})
    pipeline = PipelineModel([before, xgboost.create_model()], arguments.role, sagemaker_session=session)
    pipeline.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    predictor = Predictor(pipeline.endpoint_name, session, CSVSerializer(), CSVDeserializer())
    try:
        rings = np.asarray(predictor.predict(test.drop(columns=8).to_numpy()), dtype=float).ravel()
    finally:
        predictor.delete_endpoint()
        pipeline.delete_model()
    error = float(np.sqrt(np.mean((rings - test[8].to_numpy()) ** 2)))
    print(f"{len(rings)} predictions, RMSE {error:.3f} rings")


if __name__ == "__main__":
    main()
