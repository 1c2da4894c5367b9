"""How good is the search of a tuning job, and how well does it use its places (P6)?

    python -m benchmarks.tuning [seeds]

Search: the best objective after 60 trials, two at a time, on three functions with a known minimum and on XGBoost with
the abalones, beside plain Optuna with its default sampler and beside random search; the mean over the seeds. The study
of a tuning job is made anew for each suggestion, and its jobs' values pass through text, so it has to be shown that
nothing is lost by that. Time: a tuning job of 12 trials of 2 s, two at a time, through the API; efficiency is the
12 s that they take at the least through what it took.
"""

import csv
import heapq
import io
import math
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import optuna
from rich.console import Console
from rich.table import Table
from tests.platform import Platform
from tests.programs import tar_gz

from clary.services.sagemaker.tuning.space import Parameter, parameters
from clary.services.sagemaker.tuning.suggestions import Tried, suggest

TRIALS, PARALLEL = 60, 2
SECONDS, JOBS = 2.0, 12
ABALONES = Path(__file__).parent.parent / "examples" / "data" / "abalone.csv"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"

Objective = Callable[[dict[str, float]], float]


def branin(at: dict[str, float]) -> float:
    x, y = at["x"], at["y"]
    bowl = (y - 5.1 / (4 * math.pi**2) * x**2 + 5 / math.pi * x - 6) ** 2
    return bowl + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x) + 10 - 0.397887


def rosenbrock(at: dict[str, float]) -> float:
    x, y = at["x"], at["y"]
    return math.log1p((1 - x) ** 2 + 100 * (y - x * x) ** 2)


ALPHA = (1.0, 1.2, 3.0, 3.2)
A = ((10, 3, 17, 3.5, 1.7, 8), (0.05, 10, 17, 0.1, 8, 14), (3, 3.5, 1.7, 10, 17, 8), (17, 8, 0.05, 10, 0.1, 14))
P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)


def hartmann(at: dict[str, float]) -> float:
    """In six dimensions (Dixon and Szegö, 1978)."""
    x = [at[f"x{number}"] for number in range(6)]
    total = sum(
        alpha * math.exp(-sum(a * (value - p) ** 2 for a, p, value in zip(row, places, x, strict=True)))
        for alpha, row, places in zip(ALPHA, A, P, strict=True)
    )
    return 3.32237 - total


def boosting() -> Objective:
    """RMSE over abalones not trained on, in rings."""
    import numpy as np
    import xgboost

    sexes = {"I": 0, "F": 1, "M": 2}
    rows = np.array([[sexes[sex], *map(float, rest)] for sex, *rest in csv.reader(io.StringIO(ABALONES.read_text()))])
    np.random.default_rng(7).shuffle(rows)
    train, test = (xgboost.DMatrix(part[:, :-1], part[:, -1]) for part in (rows[:2500], rows[2500:]))

    def objective(at: dict[str, float]) -> float:
        found: dict[str, dict[str, list[float]]] = {}
        options = {**at, "max_depth": int(at["max_depth"]), "nthread": 1}
        xgboost.train(options, train, 40, evals=[(test, "test")], evals_result=found, verbose_eval=False)
        return found["test"]["rmse"][-1]

    return objective


def space(**ranges: tuple[float, float]) -> list[Parameter]:
    return parameters(
        {
            "ContinuousParameterRanges": [
                {"Name": name, "MinValue": str(low), "MaxValue": str(high)} for name, (low, high) in ranges.items()
            ]
        }
    )


def tuned(strategy: str, over: list[Parameter], objective: Objective, seed: int) -> float:
    """As a tuning job goes about it: two trials run at a time, of which the study knows only the values."""
    done: list[Tried] = []
    running: list[tuple[int, dict[str, str]]] = []
    for number in range(TRIALS):
        live = [Tried(values, None, live=True) for _, values in running]
        values = suggest(strategy, over, True, [*done, *live], number, seed * 1000)
        assert values
        heapq.heappush(running, (number, values))
        if len(running) == PARALLEL or number == TRIALS - 1:
            _, ended = heapq.heappop(running)
            done.append(Tried(ended, objective({name: float(text) for name, text in ended.items()}), live=False))
    done += [Tried(values, objective({n: float(t) for n, t in values.items()}), live=False) for _, values in running]
    return min(each.objective for each in done if each.objective is not None)


def plain(over: list[Parameter], objective: Objective, seed: int) -> float:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    distributions = {each.name: each.distribution() for each in over}
    running: list[optuna.Trial] = []
    for number in range(TRIALS):
        running.append(study.ask(distributions))
        while len(running) == PARALLEL or (running and number == TRIALS - 1):
            trial = running.pop(0)
            value = objective({each.name: float(each.text(trial.params[each.name])) for each in over})
            study.tell(trial, value)
    return study.best_value


def efficiency() -> tuple[float, float]:
    """Seconds of a tuning job, and the share of them that its trials needed."""
    command = f"import time; time.sleep({SECONDS}); print('loss=1;')"
    with tempfile.TemporaryDirectory() as directory:
        platform = Platform(Path(directory) / "state").up()
        try:
            sagemaker = platform.client("sagemaker")
            platform.client("s3").create_bucket(Bucket="benchmark")
            source = tar_gz({"train.py": command})
            platform.client("s3").put_object(Bucket="benchmark", Key="source.tar.gz", Body=source)
            for name, jobs in (("warm", 2), ("timed", JOBS)):
                began = time.perf_counter()
                tune(sagemaker, name, jobs)
            took = time.perf_counter() - began
        finally:
            platform.down()
    return took, JOBS / PARALLEL * SECONDS / took


def tune(sagemaker: Any, name: str, jobs: int) -> None:
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=name,
        HyperParameterTuningJobConfig={
            "Strategy": "Bayesian",
            "ResourceLimits": {"MaxNumberOfTrainingJobs": jobs, "MaxParallelTrainingJobs": PARALLEL},
            "HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "loss"},
            "ParameterRanges": {"IntegerParameterRanges": [{"Name": "x", "MinValue": "1", "MaxValue": "9"}]},
        },
        TrainingJobDefinition={
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "loss", "Regex": "loss=([0-9.]+);"}],
            },
            "StaticHyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": '"s3://benchmark/source.tar.gz"',
            },
            "RoleArn": "arn:aws:iam::123456789012:role/SageMakerRole",
            "OutputDataConfig": {"S3OutputPath": "s3://benchmark/output"},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        },
    )
    while True:
        told = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        if told["HyperParameterTuningJobStatus"] != "InProgress":
            assert told["HyperParameterTuningJobStatus"] == "Completed", told.get("FailureReason")
            return
        time.sleep(0.02)


def main() -> None:
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    table = Table("best of 60 trials, less is better", "Clary", "plain Optuna", "random", "Clary / Optuna")
    cases: list[tuple[str, list[Parameter], Objective]] = [
        ("Branin, above its minimum", space(x=(-5, 10), y=(0, 15)), branin),
        ("Rosenbrock, log of 1 and it", space(x=(-2, 2), y=(-1, 3)), rosenbrock),
        ("Hartmann in 6, above its minimum", space(**{f"x{number}": (0, 1) for number in range(6)}), hartmann),
        (
            "XGBoost on abalone, RMSE in rings",
            space(eta=(0.01, 0.6), max_depth=(2, 10), min_child_weight=(1, 30), subsample=(0.4, 1)),
            boosting(),
        ),
    ]
    for name, over, objective in cases:
        ours = statistics.fmean(tuned("Bayesian", over, objective, seed) for seed in range(seeds))
        theirs = statistics.fmean(plain(over, objective, seed) for seed in range(seeds))
        chance = statistics.fmean(tuned("Random", over, objective, seed) for seed in range(seeds))
        table.add_row(name, f"{ours:.4g}", f"{theirs:.4g}", f"{chance:.4g}", f"{ours / theirs:.2f}")
    took, share = efficiency()
    Console().print(table)
    print(f"{JOBS} trials of {SECONDS:g} s, {PARALLEL} at a time: {took:.1f} s, efficiency {share:.2f}")


if __name__ == "__main__":
    main()
