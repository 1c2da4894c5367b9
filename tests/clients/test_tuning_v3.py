"""Version 3 of the SageMaker SDK: a tuner over a `ModelTrainer`."""

import re
from pathlib import Path

import pytest

from tests.clients.programs import client_program, run
from tests.platform import Platform

pytestmark = pytest.mark.clients

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--level", type=float)
level = parser.parse_known_args()[0].level
print(f"loss={(level - 3) ** 2};", flush=True)
"""
TUNE = """
import sys
from sagemaker.core.helper.session_helper import Session
from sagemaker.core.parameter import ContinuousParameter
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import Compute, SourceCode
from sagemaker.train.tuner import HyperparameterTuner

trainer = ModelTrainer(
    training_image="683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3",
    source_code=SourceCode(source_dir=sys.argv[1], entry_script="train.py"),
    compute=Compute(instance_type="ml.m5.large", instance_count=1),
    base_job_name="tuned-v3", role="SageMakerRole", sagemaker_session=Session(),
)
tuner = HyperparameterTuner(
    trainer, objective_metric_name="loss", objective_type="Minimize", max_jobs=4, max_parallel_jobs=2,
    metric_definitions=[{"Name": "loss", "Regex": "loss=([0-9.e-]+);"}],
    hyperparameter_ranges={"level": ContinuousParameter(-10, 10)}, strategy="Random",
)
tuner.tune(wait=True)
print("best", tuner.best_training_job())
"""


def test_a_model_trainer_is_tuned(platform: Platform, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "train.py").write_text(TRAIN)
    (tmp_path / "tune.py").write_text(TUNE)
    command = [client_program("v3", "python"), "tune.py", str(source)]
    printed = run(command, platform.program_environment(), tmp_path)
    (best,) = re.findall(r"^best (\S+)$", printed, re.MULTILINE)
    sagemaker = platform.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=best)
    tuned = sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=job["TuningJobArn"].rpartition("/")[2]
    )
    assert tuned["BestTrainingJob"]["TrainingJobName"] == best
    assert tuned["TrainingJobStatusCounters"]["Completed"] == 4
