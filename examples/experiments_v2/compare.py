"""Compare ways to tell the age of abalones, as runs of one experiment, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3'
    python compare.py [--experiment abalone]

One run fits a line on this machine and logs its error as it goes; the others train XGBoost in training jobs, which
fill in trial components of their own. In the end all are one table.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.analytics import ExperimentAnalytics, TrainingJobAnalytics
from sagemaker.estimator import Estimator
from sagemaker.experiments import Run, list_runs
from sagemaker.inputs import TrainingInput

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]
STEPS = 24
METRIC = "validation:rmse"


def load(path: Path) -> dict[str, pd.DataFrame]:
    """The abalones to train on and those to validate with, their rings first."""
    abalones = pd.read_csv(path, names=COLUMNS)
    abalones["sex"] = abalones["sex"].map({"I": 0, "F": 1, "M": 2})
    abalones = abalones[["rings", *COLUMNS[:-1]]]
    train = abalones.sample(frac=0.7, random_state=7)
    return {"train": train, "validation": abalones.drop(train.index)}


def upload(session: sagemaker.Session, abalones: dict[str, pd.DataFrame]) -> dict[str, TrainingInput]:
    channels = {}
    for name, rows in abalones.items():
        key = f"experiments-abalone/{name}/{name}.csv"
        body = rows.to_csv(header=False, index=False)
        session.upload_string_as_file_body(body, session.default_bucket(), key)
        channels[name] = TrainingInput(f"s3://{session.default_bucket()}/{key}", content_type="text/csv")
    return channels


def fit_line(run: Run, abalones: dict[str, pd.DataFrame], rate: float) -> None:
    """Gradient descent on the squared error, logged step by step."""
    run.log_parameters({"model": "line", "rate": rate, "steps": STEPS})
    train = abalones["train"].to_numpy(dtype=float)
    mean, spread = train.mean(axis=0), train.std(axis=0)
    weights = np.zeros(train.shape[1] - 1)
    for step in range(STEPS):
        scaled = (train - mean) / spread
        weights -= rate * scaled[:, 1:].T @ (scaled[:, 1:] @ weights - scaled[:, 0]) / len(scaled)
        unseen = (abalones["validation"].to_numpy(dtype=float) - mean) / spread
        error = np.sqrt(np.mean((unseen[:, 1:] @ weights - unseen[:, 0]) ** 2)) * spread[0]
        run.log_metric(METRIC, error, step=step)


def train_trees(run: Run, session: sagemaker.Session, role: str, channels: dict[str, TrainingInput], depth: int) -> str:
    """A training job within the run: the SDK tells it of the experiment, and it joins."""
    run.log_parameters({"model": "trees", "depth": depth})
    estimator = Estimator(
        image_uri=image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/experiments-abalone/out",
        hyperparameters={"objective": "reg:squarederror", "num_round": 40, "max_depth": depth, "eta": 0.1},
        base_job_name=f"abalone-depth-{depth}",
        sagemaker_session=session,
    )
    estimator.fit(channels, logs=False)
    job = estimator.latest_training_job.name
    curve = TrainingJobAnalytics(job, [METRIC], sagemaker_session=session).dataframe()
    run.log_metric(METRIC, float(curve["value"].iloc[-1]))
    run.log_artifact("model", estimator.model_data)
    return job


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--experiment", default="abalone")
    arguments = parser.parse_args()
    session = sagemaker.Session()
    abalones = load(arguments.data)
    channels = upload(session, abalones)
    with Run(arguments.experiment, "line", sagemaker_session=session) as run:
        run.log_file(str(arguments.data), name="data", is_output=False)
        fit_line(run, abalones, rate=0.2)
    for depth in (2, 6):
        with Run(arguments.experiment, f"depth-{depth}", sagemaker_session=session) as run:
            print("trained by", train_trees(run, session, arguments.role, channels, depth))
    runs = list_runs(arguments.experiment, sagemaker_session=session)
    print("runs:", ", ".join(sorted(run.run_name for run in runs)))
    analytics = ExperimentAnalytics(
        arguments.experiment, sort_by=f"metrics.{METRIC}.min", sort_order="Ascending", sagemaker_session=session
    )
    table = analytics.dataframe()
    shown = ["DisplayName", "model", "depth", "max_depth", f"{METRIC} - Min", f"{METRIC} - Count"]
    print(table[shown].to_string(index=False))
    best = table[table["model"].notna()].iloc[0]
    print(f"best: {best['DisplayName']}, {best[f'{METRIC} - Min']:.3f} rings")


if __name__ == "__main__":
    main()
