"""An A/B test of two models behind one endpoint, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python ab_test.py

Two XGBoost models, a plain one and a deeper one, answer half of the calls each. Every answer says which of them gave
it, so that their errors can be compared; all traffic is then moved to the better one, while the endpoint serves.
"""

import argparse
import math
from pathlib import Path

import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.session import production_variant

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
VARIANTS = {"plain": {"max_depth": 1, "num_round": 10}, "deeper": {"max_depth": 4, "num_round": 80}}


def upload(session: sagemaker.Session, rows: pd.DataFrame) -> TrainingInput:
    body = rows[["rings", *COLUMNS[:-1]]].to_csv(header=False, index=False)
    session.upload_string_as_file_body(body, session.default_bucket(), "ab-abalone/train/rows.csv")
    return TrainingInput(f"s3://{session.default_bucket()}/ab-abalone/train", content_type="text/csv")


def train(session: sagemaker.Session, role: str, inputs: TrainingInput) -> dict[str, Estimator]:
    """Both at the same time."""
    estimators = {}
    for name, hyperparameters in VARIANTS.items():
        estimators[name] = Estimator(
            image_uri=image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
            role=role,
            instance_count=1,
            instance_type="ml.m5.large",
            output_path=f"s3://{session.default_bucket()}/ab-abalone/models",
            hyperparameters={"objective": "reg:squarederror", "eta": 0.1, **hyperparameters},
            base_job_name=f"ab-abalone-{name}",
            sagemaker_session=session,
        )
        estimators[name].fit({"train": inputs}, wait=False)
    for estimator in estimators.values():
        session.wait_for_job(estimator.latest_training_job.name, poll=1)
    return estimators


def deploy(session: sagemaker.Session, estimators: dict[str, Estimator]) -> str:
    """One endpoint with a variant for each model; returns its name."""
    variants = []
    for name, estimator in estimators.items():
        model = estimator.create_model(name=estimator.latest_training_job.name)
        model.create(instance_type="ml.m5.large")
        variants.append(
            production_variant(
                model_name=model.name,
                instance_type="ml.m5.large",
                initial_instance_count=1,
                variant_name=name,
                initial_weight=1,
            )
        )
    endpoint = sagemaker.utils.name_from_base("ab-abalone")
    session.endpoint_from_production_variants(name=endpoint, production_variants=variants, wait=False)
    session.wait_for_endpoint(endpoint, poll=1)
    return endpoint


def compare(session: sagemaker.Session, endpoint: str, rows: pd.DataFrame) -> dict[str, float]:
    """The root mean square error of each variant, over the calls that it happened to answer."""
    squares: dict[str, list[float]] = {name: [] for name in VARIANTS}
    for features, rings in zip(rows[COLUMNS[:-1]].to_numpy(), rows["rings"], strict=True):
        answer = session.sagemaker_runtime_client.invoke_endpoint(
            EndpointName=endpoint, ContentType="text/csv", Body=",".join(map(str, features))
        )
        predicted = float(answer["Body"].read())
        squares[answer["InvokedProductionVariant"]].append((predicted - rings) ** 2)
    for name, errors in squares.items():
        print(f"{name:7} answered {len(errors)} calls")
    return {name: math.sqrt(sum(errors) / len(errors)) for name, errors in squares.items() if errors}


def move_all_to(session: sagemaker.Session, endpoint: str, winner: str) -> None:
    weights = [{"VariantName": name, "DesiredWeight": float(name == winner)} for name in VARIANTS]
    session.sagemaker_client.update_endpoint_weights_and_capacities(
        EndpointName=endpoint, DesiredWeightsAndCapacities=weights
    )
    session.wait_for_endpoint(endpoint, poll=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--calls", type=int, default=200)
    arguments = parser.parse_args()
    session = sagemaker.Session()
    abalones = pd.read_csv(arguments.data, names=COLUMNS)
    abalones["sex"] = abalones["sex"].map({"I": 0, "F": 1, "M": 2})
    known = abalones.sample(frac=0.8, random_state=7)
    test = abalones.drop(known.index)

    endpoint = deploy(session, train(session, arguments.role, upload(session, known)))
    try:
        errors = compare(session, endpoint, test[: arguments.calls])
        for name, error in errors.items():
            print(f"{name:7} RMSE {error:.3f} rings")
        winner = min(errors, key=errors.__getitem__)
        move_all_to(session, endpoint, winner)
        print(f"all traffic goes to {winner}")
        compare(session, endpoint, test[-50:])
    finally:
        session.delete_endpoint(endpoint)
        session.delete_endpoint_config(endpoint)


if __name__ == "__main__":
    main()
