"""Train a TensorFlow model, deploy it and predict in TensorFlow Serving's forms, with version 2 of the SageMaker SDK.

pip install 'sagemaker<3'
python train_and_deploy.py
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker.serializers import CSVSerializer, JSONSerializer
from sagemaker.tensorflow import TensorFlow, TensorFlowModel

HERE = Path(__file__).parent
SEXES = {"I": 0, "F": 1, "M": 2}
VERSION = "2.19"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    estimator = TensorFlow(
        entry_point="abalone.py",
        source_dir=str(HERE / "source"),
        framework_version=VERSION,
        py_version="py312",
        instance_type="ml.m5.large",
        instance_count=1,
        role=arguments.role,
        hyperparameters={"epochs": 10},
        base_job_name="tensorflow-abalone",
        sagemaker_session=session,
    )
    estimator.fit({"train": session.upload_data(str(arguments.data), key_prefix="tensorflow-abalone/train")})

    model = TensorFlowModel(
        model_data=estimator.model_data,
        role=arguments.role,
        framework_version=VERSION,
        sagemaker_session=session,
    )
    predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large")
    abalones = pd.read_csv(arguments.data, header=None)
    abalones[0] = abalones[0].map(SEXES)
    rows, rings = abalones.iloc[:500, :-1], abalones.iloc[:500, -1].to_numpy()
    try:
        for name, serializer, body in (
            ("JSON", JSONSerializer(), {"instances": rows.to_numpy().tolist()}),
            ("CSV", CSVSerializer(), rows.to_numpy()),
        ):
            predictor.serializer = serializer
            answers = np.array(predictor.predict(body)["predictions"]).ravel()
            print(f"{name:4} RMSE {float(np.sqrt(np.mean((answers - rings) ** 2))):.3f} rings")
    finally:
        predictor.delete_model()
        predictor.delete_endpoint()


if __name__ == "__main__":
    main()
