"""Train and deploy an image of your own with version 2 of the SageMaker Python SDK.

pip install 'sagemaker<3'
python estimator_v2.py 127.0.0.1:7373/own/line:v1
"""

import argparse
from pathlib import Path

import sagemaker
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.serializers import CSVSerializer

DATA = Path(__file__).parents[1] / "data" / "abalone.csv"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("image", help="as it was pushed")
    parser.add_argument("--role", default="SageMakerRole", help="name or ARN of the execution role")
    arguments = parser.parse_args()

    session = sagemaker.Session()
    estimator = Estimator(
        image_uri=arguments.image,
        role=arguments.role,
        instance_count=1,
        instance_type="ml.m5.large",
        hyperparameters={"column": "length"},
        base_job_name="own-image",
        sagemaker_session=session,
    )
    estimator.fit({"train": session.upload_data(str(DATA), key_prefix="own-image/train")})
    predictor = estimator.deploy(
        initial_instance_count=1,
        instance_type="ml.m5.large",
        serializer=CSVSerializer(),
        deserializer=CSVDeserializer(),
    )
    try:
        answer = predictor.predict("0.3\n0.6")
    finally:
        predictor.delete_endpoint()
    short, long = (float(row[0]) for row in answer)
    print(f"rings of an abalone of 0.3: {short:.1f}, of 0.6: {long:.1f}")


if __name__ == "__main__":
    main()
