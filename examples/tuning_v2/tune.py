"""Tune the built-in XGBoost algorithm, with version 2 of the SageMaker Python SDK.

    pip install 'sagemaker<3' matplotlib
    python tune.py [--jobs 12] [--plot objective.png]

Jobs that are unlikely to become the best are stopped early. In the end the jobs are listed, best first, and the
objective of each is drawn over time.
"""

import argparse
from pathlib import Path

import pandas as pd
import sagemaker
from sagemaker import image_uris
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.tuner import ContinuousParameter, HyperparameterTuner, IntegerParameter

HERE = Path(__file__).parent
COLUMNS = ["sex", "length", "diameter", "height", "whole", "shucked", "viscera", "shell", "rings"]


def upload(session: sagemaker.Session, data: Path) -> dict[str, TrainingInput]:
    """The abalones to train on and those to validate with, their rings first."""
    abalones = pd.read_csv(data, names=COLUMNS)
    abalones["sex"] = abalones["sex"].map({"I": 0, "F": 1, "M": 2})
    abalones = abalones[["rings", *COLUMNS[:-1]]]
    train = abalones.sample(frac=0.7, random_state=7)
    channels = {}
    for name, rows in (("train", train), ("validation", abalones.drop(train.index))):
        key = f"tuning-abalone/{name}/{name}.csv"
        body = rows.to_csv(header=False, index=False)
        session.upload_string_as_file_body(body, session.default_bucket(), key)
        uri = f"s3://{session.default_bucket()}/{key}"
        channels[name] = TrainingInput(uri, content_type="text/csv")
    return channels


def make_tuner(session: sagemaker.Session, role: str, jobs: int) -> HyperparameterTuner:
    estimator = Estimator(
        image_uri=image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
        role=role,
        instance_count=1,
        instance_type="ml.m5.large",
        output_path=f"s3://{session.default_bucket()}/tuning-abalone/out",
        hyperparameters={"objective": "reg:squarederror", "num_round": 80},
        sagemaker_session=session,
    )
    return HyperparameterTuner(
        estimator,
        objective_metric_name="validation:rmse",
        objective_type="Minimize",
        hyperparameter_ranges={
            "eta": ContinuousParameter(0.01, 0.5, scaling_type="Logarithmic"),
            "max_depth": IntegerParameter(2, 9),
            "min_child_weight": ContinuousParameter(1, 20),
            "subsample": ContinuousParameter(0.5, 1.0),
        },
        max_jobs=jobs,
        max_parallel_jobs=2,
        early_stopping_type="Auto",
        random_seed=7,
        base_tuning_job_name="abalone",
    )


def draw(jobs: pd.DataFrame, path: Path) -> None:
    """Each job's objective in the order of their start, and the best so far."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    jobs = jobs.sort_values("TrainingStartTime").reset_index(drop=True)
    stopped = jobs["TrainingJobStatus"] == "Stopped"
    figure, axes = pyplot.subplots(figsize=(7, 4), layout="constrained")
    axes.plot(
        jobs.index + 1, jobs["FinalObjectiveValue"].cummin(), drawstyle="steps-post", color="0.6", label="best so far"
    )
    for chosen, label, marker in ((~stopped, "completed", "o"), (stopped, "stopped early", "x")):
        axes.scatter(jobs.index[chosen] + 1, jobs["FinalObjectiveValue"][chosen], marker=marker, label=label)
    axes.set(xlabel="training job", ylabel="RMSE of validation, in rings")
    axes.legend()
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=HERE.parent / "data" / "abalone.csv")
    parser.add_argument("--role", default="arn:aws:iam::123456789012:role/SageMakerRole")
    parser.add_argument("--jobs", type=int, default=12)
    parser.add_argument("--plot", type=Path, default=Path("objective.png"))
    arguments = parser.parse_args()
    session = sagemaker.Session()
    tuner = make_tuner(session, arguments.role, arguments.jobs)
    tuner.fit(upload(session, arguments.data))
    jobs = tuner.analytics().dataframe()
    shown = ["TrainingJobStatus", "FinalObjectiveValue", "eta", "max_depth", "min_child_weight", "subsample"]
    print(jobs.sort_values("FinalObjectiveValue")[shown].round(3).to_string(index=False))
    best = jobs["FinalObjectiveValue"].min()
    print(f"best: {tuner.best_training_job()}, {best:.3f} rings")
    draw(jobs, arguments.plot)
    print(f"drawn: {arguments.plot}")


if __name__ == "__main__":
    main()
