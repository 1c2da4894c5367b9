"""Many models behind one endpoint, loaded as they are asked for, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python train_and_deploy.py

A model is trained for each sex of abalones. Two are put where the endpoint looks for models before it is deployed, the
third while it serves.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.deserializers import JSONDeserializer
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import JSONSerializer
from sagemaker.sklearn import SKLearn

HERE = Path(__file__).parent
NAME = "many-abalones"
SEXES = {"M": "males", "F": "females", "I": "infants"}


def start_training(session: sagemaker.Session, role: str, sex: str, train: str) -> SKLearn:
    estimator = SKLearn(
        entry_point="abalone.py",
        source_dir=str(HERE / "source"),
        framework_version="1.2-1",
        instance_type="ml.m5.large",
        role=role,
        hyperparameters={"sex": sex},
        base_job_name=NAME,
        sagemaker_session=session,
    )
    estimator.fit({"train": train}, wait=False)
    return estimator


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    bucket = session.default_bucket()
    abalones = pd.read_csv(arguments.data, header=None)
    train = abalones.sample(frac=0.8, random_state=7)
    test = abalones.drop(train.index)
    where = session.upload_string_as_file_body(train.to_csv(index=False, header=False), bucket, f"{NAME}/train.csv")

    estimators = {sex: start_training(session, arguments.role, sex, where) for sex in SEXES}
    for estimator in estimators.values():
        estimator.latest_training_job.wait(logs=False)

    name = sagemaker.utils.name_from_base(NAME)
    prefix = f"s3://{bucket}/{name}/models/"
    models = MultiDataModel(name, prefix, model=estimators["M"].create_model(), sagemaker_session=session)
    for sex in ("M", "F"):
        models.add_model(estimators[sex].model_data, f"{SEXES[sex]}.tar.gz")
    models.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    predictor = Predictor(models.endpoint_name, session, JSONSerializer(), JSONDeserializer())
    try:
        models.add_model(estimators["I"].model_data, "infants.tar.gz")
        print("models:", *sorted(models.list_models()))
        for sex, called in SEXES.items():
            rows = test[test[0] == sex]
            rings = np.asarray(predictor.predict(rows.loc[:, 1:7].to_numpy(), target_model=f"{called}.tar.gz"))
            error = float(np.sqrt(np.mean((rings - rows[8].to_numpy()) ** 2)))
            print(f"{called}: {len(rings)} predictions, RMSE {error:.3f} rings")
    finally:
        predictor.delete_endpoint()
        models.delete_model()


if __name__ == "__main__":
    main()
