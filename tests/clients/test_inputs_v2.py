"""Pipe mode through version 2 of the SageMaker SDK: a script, and the XGBoost algorithm."""

from pathlib import Path

import pytest

from tests.algorithms import abalone
from tests.clients.programs import client_program, run
from tests.platform import Platform
from tests.programs import log_lines

PIPED = """
import boto3, json, sagemaker
from sagemaker.estimator import Estimator
from sagemaker.inputs import ShuffleConfig, TrainingInput
from sagemaker.sklearn import SKLearn

session = sagemaker.Session()
ROLE = "arn:aws:iam::123456789012:role/SageMakerRole"
uri = session.upload_data("abalone.csv", key_prefix="piped")

script = SKLearn(
    entry_point="train.py", framework_version="1.2-1", role=ROLE, instance_type="ml.m5.large", base_job_name="piped"
)
train = TrainingInput(uri, input_mode="Pipe", shuffle_config=ShuffleConfig(3), record_wrapping="RecordIO")
script.fit({"train": train})
print("job", script.latest_training_job.name)

algorithm = Estimator(
    sagemaker.image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"), ROLE, 1, "ml.m5.large",
    input_mode="Pipe", hyperparameters={"num_round": 5, "objective": "reg:squarederror"}, base_job_name="piped-xgboost",
)
algorithm.fit({"train": TrainingInput(uri, content_type="text/csv")})
print("metrics", algorithm.training_job_analytics.dataframe().to_json())
"""
SCRIPT = """
import json, os, struct
config = json.loads(os.environ["SM_INPUT_DATA_CONFIG"])["train"]
with open(os.environ["SM_CHANNEL_TRAIN"] + "_0", "rb") as pipe:
    magic, length = struct.unpack("<II", pipe.read(8))
    print("read", config["TrainingInputMode"], hex(magic), pipe.read(length).count(b"\\n"), flush=True)
"""

pytestmark = pytest.mark.clients


def test_training_inputs_come_through_pipes(platform: Platform, tmp_path: Path) -> None:
    (tmp_path / "abalone.csv").write_text(abalone.as_csv(abalone.rows()[:200]))
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "program.py").write_text(PIPED)
    printed = run([client_program("v2", "python"), "program.py"], platform.program_environment(), tmp_path)
    job = next(line.removeprefix("job ") for line in printed.splitlines() if line.startswith("job "))
    assert "read Pipe 0xced7230a 200" in log_lines(platform, job)
    assert "Train matrix has 200 rows" in printed
    assert "train:rmse" in printed
